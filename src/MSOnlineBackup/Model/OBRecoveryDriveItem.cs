namespace MSOnlineBackup;

/// <summary>A file or folder of a drive that shows recovery points: what <c>Get-ChildItem</c> and <c>Get-Item</c> write there. It can be recovered like any item.</summary>
public sealed class OBRecoveryDriveItem : OBRecoverableItem
{
    /// <summary>Its kind and what it may be done with, as its machine would show it: <c>drwxr-xr-x</c>, or <c>d-r--</c>.</summary>
    public string Mode { get; internal init; } = "";

    /// <summary>When its content last changed, in local time; null where unknown, and where no <see cref="DateTime"/> can tell it.</summary>
    public DateTime? LastWriteTime => ItemLastModifiedTime?.ToLocalTime();

    /// <summary>Its size in bytes; null for all but files.</summary>
    public long? Length => ItemSize;

    /// <summary>What follows the last dot of its name, with the dot; empty where there is none.</summary>
    public string Extension => Path.GetExtension(Name);

    /// <summary>The folder that it is in, as the drive has it.</summary>
    public string Directory { get; internal init; } = "";

    /// <summary>Where a symbolic link leads to, as it is written; null for everything else.</summary>
    public string? LinkTarget { get; internal init; }
}
