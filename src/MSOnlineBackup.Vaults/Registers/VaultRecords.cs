using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Versioning;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>What the owner adds to what <c>vault.json</c> said when the vault was made: <c>records/NUMBER</c>. All of them hold, each for itself.</summary>
internal sealed record VaultRecord
{
    /// <summary>The kind of a record that gives the vault a feature.</summary>
    public const string Feature = "feature";

    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    /// <summary>The kind of a record by which the owner releases a brake on deletion.</summary>
    public const string Release = "release";

    /// <summary>Of a release: the machine, as in the names of its points.</summary>
    [JsonPropertyName("machine")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Machine { get; init; }

    /// <summary>Of a release: what was written up to then puts no brake on deletion any more.</summary>
    [JsonPropertyName("before")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Before { get; init; }

    /// <summary>The kind of a record by which the owner lets newer versions write only. Versions that do not know it are older, and refuse by <see
    /// cref="NeededTo"/>.</summary>
    public const string MinAgent = "minAgentVersion";

    /// <summary>Of the least version: which, as in "1.2.3".</summary>
    [JsonPropertyName("version")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Version { get; init; }

    /// <summary>Of a feature: which.</summary>
    [JsonPropertyName("name")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>What the vault must not be used for by software that does not know this kind or feature: "read", "write", "collect"; null for nothing.</summary>
    [JsonPropertyName("neededTo")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? NeededTo { get; init; }
}

/// <summary>The vault's records, read.</summary>
/// <param name="Location">The vault.</param>
/// <param name="Unknown">Those that this version does not know.</param>
/// <param name="Damage">Objects among them that are damaged, or that the owner has not signed.</param>
internal sealed record VaultRecords(string Location, IReadOnlyList<VaultRecord> Unknown, IReadOnlyList<BackupException> Damage)
{
    // There is none yet.
    private static readonly string[] _features = [];

    /// <summary>By which the owner has released brakes on deletion.</summary>
    public IReadOnlyList<VaultRecord> Releases { get; init; } = [];

    /// <summary>The oldest version that may write, by all records that say one; null where any may.</summary>
    public Version? MinAgentVersion { get; init; }

    /// <summary>Which version this is.</summary>
    public Version AgentVersion { get; init; } = Product.Number;

    /// <summary>The numbers of a vault's records, for which its header is not needed.</summary>
    public static async Task<IReadOnlyList<uint>> ListAsync(IVaultStore objects, CancellationToken cancellationToken) =>
        (await NumberedSeries.ListAsync(objects, VaultLayout.Records, cancellationToken).ConfigureAwait(false)).GetValueOrDefault(VaultLayout.Records, []);

    /// <summary>Up to when the owner has released brakes of a machine; null where that was never done.</summary>
    public DateTimeOffset? LastRelease(MachineId machineId) => Releases.Where(release => release.Machine == machineId.ToString()).Max(release => release.Before);

    /// <summary>Lists and reads them.</summary>
    public static async Task<VaultRecords> ReadAllAsync(KnownVault vault, CancellationToken cancellationToken) =>
        await ReadAsync(vault, await ListAsync(vault.Objects, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Reads them.</summary>
    public static async Task<VaultRecords> ReadAsync(KnownVault vault, IReadOnlyList<uint> numbers, CancellationToken cancellationToken)
    {
        OwnerSeries<VaultRecord> series = SeriesOf(vault);
        var unknown = new List<VaultRecord>();
        var releases = new List<VaultRecord>();
        var damage = new List<BackupException>();
        Version? least = null;
        await foreach ((uint number, VaultRecord? record) in ReadAhead.SelectAsync(
            numbers,
            vault.Objects.Capabilities.MaxConcurrency,
            async (number, token) => (number, await series.ReadAsync(number, token).ConfigureAwait(false)),
            cancellationToken).ConfigureAwait(false))
        {
            if (record?.Kind is null)
            {
                damage.Add(VaultDamage.NotSigned(series.NameOf(number)));
            }
            else if (record.Kind == VaultRecord.Release)
            {
                releases.Add(record);
            }
            else if (record.Kind == VaultRecord.MinAgent && Version.TryParse(record.Version, out Version? version))
            {
                least = version > least || least is null ? version : least;
            }
            else if (!IsKnown(record))
            {
                unknown.Add(record);
            }
        }

        return new VaultRecords(vault.Location, unknown, damage) { Releases = releases, MinAgentVersion = least };
    }

    /// <summary>Adds a record, and returns its number.</summary>
    /// <exception cref="BackupException">OwnerForeign, ArgumentInvalid.</exception>
    public static Task<uint> AppendAsync(KnownVault vault, OwnerKey owner, VaultRecord record, CancellationToken cancellationToken) =>
        SeriesOf(vault).AppendAsync(owner, _ => Task.FromResult<VaultRecord?>(record), cancellationToken);

    /// <summary>Refuses a use of the vault that takes what this version does not know, and to write by a version that is too old.</summary>
    /// <exception cref="BackupException">VaultFormatUnsupported, AgentOutdated. VaultDataCorrupt where something is to be deleted and it cannot be known
    /// what is needed for that.</exception>
    public void Allow(VaultUse use)
    {
        // Who only adds or reads harms nothing by a record that was lost; who deletes does.
        if (use == VaultUse.Collect && Damage.Count > 0)
        {
            throw Damage[0];
        }

        if (use != VaultUse.Read && FindOutdated() is { } outdated)
        {
            throw outdated;
        }

        string needed = JsonNamingPolicy.CamelCase.ConvertName(use.ToString());
        if (Unknown.FirstOrDefault(record => record.NeededTo?.Contains(needed) == true) is { } missing)
        {
            string what = missing.Kind == VaultRecord.Feature ? $"the feature '{missing.Name}'" : $"records of the kind '{missing.Kind}'";
            throw new BackupException(
                BackupErrorId.VaultFormatUnsupported,
                $"The vault in '{Location}' has {what}, which this version does not know but would have to know to {needed}.",
                "Use a newer version of MSOnlineBackup.",
                Location);
        }
    }

    /// <summary>What is said where this version is too old to write; null where it is not.</summary>
    public BackupException? FindOutdated() => MinAgentVersion is not { } least || AgentVersion >= least ? null : new BackupException(
        BackupErrorId.AgentOutdated,
        $"The vault in '{Location}' is written to by MSOnlineBackup {least} and newer only, as its owner has decided; this is {AgentVersion}.",
        "Update MSOnlineBackup on this machine (Update-OBAgent, or 'obengine update'), and run the job again. What is in the vault can be listed, verified and recovered with this version, too.",
        Location,
        errorCode: "0x1FBD3");

    private static bool IsKnown(VaultRecord record) => record.Kind == VaultRecord.Feature && _features.Contains(record.Name);

    private static OwnerSeries<VaultRecord> SeriesOf(KnownVault vault) => new(vault, VaultLayout.Records, RegisterJson.Default.VaultRecord);
}
