using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What the engine takes from outside.</summary>
public sealed record EngineOptions : VaultOptions
{
    /// <summary>What is usual.</summary>
    public EngineOptions()
    {
    }

    private EngineOptions(VaultOptions options)
        : base(options)
    {
    }

    /// <summary>A checkpoint is written when this long has passed since the last.</summary>
    internal TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>… or when this many bytes were stored since the last, or an eighth of all stored so far if that is more.</summary>
    internal long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>How a backup opens its sources; null: as the platform does.</summary>
    internal Func<BackupSource, ISourceTree>? OpenSource { get; init; }

    /// <summary>Those with which a vault was opened, and the engine's own beside them.</summary>
    internal static EngineOptions Of(VaultOptions options) => options as EngineOptions ?? new EngineOptions(options);
}
