namespace MSOnlineBackup;

/// <summary>A virtual machine, or disks of one, that were restored.</summary>
public sealed class OBRestoredMachine
{
    /// <summary>The new machine; of a disk, the machine that it is of.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>The recovery point.</summary>
    public string RecoveryPointId { get; internal init; } = "";

    /// <summary>The disks.</summary>
    public IReadOnlyList<string> Disks { get; internal init; } = [];

    /// <summary>Their images, in the same order.</summary>
    public IReadOnlyList<string> Files { get; internal init; } = [];

    /// <summary>The definition for libvirt; null where none was written.</summary>
    public string? Definition { get; internal init; }

    /// <summary>The script that starts the machine under QEMU; null where none was written.</summary>
    public string? Script { get; internal init; }

    /// <summary>Of a disk that was replaced, the file that the one before is kept in; of one that was put back, what had taken its place.</summary>
    public string? Kept { get; internal init; }

    /// <summary>The recovery point of the disk before; null where there is none.</summary>
    public string? SafetyPointId { get; internal init; }

    /// <summary>What differs, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>The machine.</summary>
    public override string ToString() => Name;
}
