using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>Which sources a backup takes; <c>docs/operations.md</c> shows <see cref="Table"/> to users.</summary>
public sealed record SourceRules
{
    private readonly Func<Row, SourceTreatment> _treatmentOf;

    private SourceRules(string name, Func<Row, SourceTreatment> treatmentOf)
    {
        Name = name;
        _treatmentOf = treatmentOf;
    }

    /// <summary>As documented for the original.</summary>
    public static SourceRules Mars { get; } = new("Mars", row => row.Mars)
    {
        SkipsLinks = true,
        LeavesOutServiceFolders = true,
        MostBytesOnVolume = 54_400L << 30,
    };

    /// <summary>Whatever can be read is taken. There is a warning where that is probably not what was meant.</summary>
    public static SourceRules Open { get; } = new("Open", row => row.Open);

    /// <summary>No questions are asked: for what the program itself has chosen.</summary>
    internal static SourceRules None { get; } = new("Open", _ => SourceTreatment.Take);

    /// <summary>The profile's name.</summary>
    public string Name { get; }

    /// <summary>What somebody has allowed: such sources are taken without a warning.</summary>
    public IReadOnlyList<SourceKind> Allowed { get; init; } = [];

    /// <summary>Whether links and files with several names are skipped, and listed as skipped.</summary>
    public bool SkipsLinks { get; private init; }

    /// <summary>Whether folders that a replicating service keeps for itself are left out.</summary>
    public bool LeavesOutServiceFolders { get; private init; }

    /// <summary>The most bytes that may be protected of one volume; null for no limit.</summary>
    public long? MostBytesOnVolume { get; private init; }

    /// <summary>The same rules with another limit.</summary>
    internal SourceRules WithMostBytesOnVolume(long bytes) => this with { MostBytesOnVolume = bytes };

    /// <summary>What becomes of sources of each kind, unless it is allowed.</summary>
    internal static IReadOnlyList<Row> Table { get; } =
    [
        new(SourceKind.Memory, SourceTreatment.Warn, SourceTreatment.Warn),
        new(SourceKind.Temporary, SourceTreatment.Warn, SourceTreatment.Warn),
        new(SourceKind.Network, SourceTreatment.Refuse, SourceTreatment.Warn),
        new(SourceKind.Cluster, SourceTreatment.Refuse, SourceTreatment.Warn),
        new(SourceKind.Replicated, SourceTreatment.Warn, SourceTreatment.Warn),
        new(SourceKind.Container, SourceTreatment.Warn, SourceTreatment.Warn),
        new(SourceKind.Removable, SourceTreatment.Refuse, SourceTreatment.Warn),
        new(SourceKind.Optical, SourceTreatment.Refuse, SourceTreatment.Warn),
        new(SourceKind.ReadOnly, SourceTreatment.Refuse, SourceTreatment.Take),
        new(SourceKind.Placeholder, SourceTreatment.Refuse, SourceTreatment.Refuse),
    ];

    /// <summary>The name of a kind, as the command line has them: "readonly".</summary>
    public static string OptionOf(SourceKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>Whether somebody has allowed a kind.</summary>
    public bool Allows(SourceKind kind) => Allowed.Contains(kind);

    /// <summary>What becomes of sources of a kind.</summary>
    internal SourceTreatment TreatmentOf(SourceKind kind) => Allows(kind) ? SourceTreatment.Take : _treatmentOf(Table.Single(row => row.Kind == kind));

    /// <summary>Why a file system that is mounted below a source is not entered, though mounts are; null where it is.</summary>
    /// <param name="fileSystem">Its name; null where nothing tells.</param>
    internal string? WhyNotEntered(string? fileSystem) => fileSystem is null ? null : FileSystemKinds.Of(fileSystem)
        .Where(kind => kind is SourceKind.Memory or SourceKind.Container && TreatmentOf(kind) != SourceTreatment.Take)
        .Select(kind => $"is {(kind == SourceKind.Memory ? "held in memory" : "a container's own layer")} ({fileSystem}) and is not entered; '--allow-source {OptionOf(kind)}' has it entered")
        .FirstOrDefault();

    /// <summary>Why an item is skipped; null where it is taken.</summary>
    internal string? WhySkipped(ManifestEntry entry) => !SkipsLinks ? null
        : entry.Kind == EntryKind.SymbolicLink ? "it is a link (a reparse point)"
        : entry is { Kind: EntryKind.File, Metadata.LinkCount: > 1 } ? $"it is a hard link: the file has {entry.Metadata.LinkCount} names"
        : null;

    /// <summary>What becomes of sources of a kind.</summary>
    internal sealed record Row(SourceKind Kind, SourceTreatment Mars, SourceTreatment Open);
}
