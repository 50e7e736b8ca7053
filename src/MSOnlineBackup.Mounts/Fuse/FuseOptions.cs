namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>How a view is mounted.</summary>
public sealed record FuseOptions
{
    /// <summary>What listings of mounts show as the device.</summary>
    public const string Device = "msonlinebackup";

    /// <summary>Whether other users see it, as far as the permissions of its files go. Otherwise nobody but the one who mounts it.</summary>
    public bool AllowOther { get; init; }

    /// <summary>How many requests are served at a time, from 1.</summary>
    public int Threads { get; init; } = 8;
}
