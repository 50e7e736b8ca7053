namespace MSOnlineBackup;

/// <summary>A virtual machine in a policy.</summary>
public sealed class OBVirtualMachineSpec
{
    /// <summary>What it is called in the policy and in the vault, where it is a machine of its own.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>The socket of its monitor, where it runs under QEMU; empty otherwise.</summary>
    public string QmpSocket { get; internal init; } = "";

    /// <summary>The images of its disks, where it is off; empty otherwise.</summary>
    public string[] ImagePath { get; internal init; } = [];

    /// <summary>The socket of the guest agent; empty for none.</summary>
    public string AgentSocket { get; internal init; } = "";

    /// <summary>Whether the guest agent runs scripts that bring the guest's programs into order.</summary>
    public bool Hooks { get; internal init; }

    /// <summary>Whether no recovery point is made where the guest cannot be held still.</summary>
    public bool RequireFreeze { get; internal init; }

    /// <summary>The disks that are taken; empty for all.</summary>
    public string[] Disk { get; internal init; } = [];

    /// <summary>Disks that are left out.</summary>
    public string[] ExcludeDisk { get; internal init; } = [];

    /// <summary>The folder with room for what the guest overwrites meanwhile; empty for the usual one.</summary>
    public string WorkFolder { get; internal init; } = "";

    /// <summary>What the machines are called that are held still together; empty where it stands alone.</summary>
    public string ConsistencyGroup { get; internal init; } = "";

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A disk of a virtual machine.</summary>
public sealed class OBMachineDisk
{
    /// <summary>What it is called: the id of its drive or device, or the name of its image.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Its size in bytes.</summary>
    public long Bytes { get; internal init; }

    /// <summary>The format of its image.</summary>
    public string Format { get; internal init; } = "";

    /// <summary>The file of its image; empty for none.</summary>
    public string Image { get; internal init; } = "";

    /// <summary>The serial number that the guest sees; empty for none.</summary>
    public string Serial { get; internal init; } = "";

    /// <summary>Whether the guest cannot write to it.</summary>
    public bool IsReadOnly { get; internal init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>A virtual machine, as it is now.</summary>
public sealed class OBVirtualMachine
{
    /// <summary>Its name.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Its UUID; null where it has none.</summary>
    public Guid? Uuid { get; internal init; }

    /// <summary>What it runs under, with the version; "off" where it does not run.</summary>
    public string Hypervisor { get; internal init; } = "";

    /// <summary>The socket of its monitor; empty where it is off.</summary>
    public string QmpSocket { get; internal init; } = "";

    /// <summary>The images of its disks, where it is off; empty otherwise.</summary>
    public string[] ImagePath { get; internal init; } = [];

    /// <summary>Its disks: no drives of CDs and floppies, and no firmware.</summary>
    public OBMachineDisk[] Disks { get; internal init; } = [];

    /// <summary>The size of all its disks in bytes.</summary>
    public long Bytes => Disks.Sum(disk => disk.Bytes);

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
