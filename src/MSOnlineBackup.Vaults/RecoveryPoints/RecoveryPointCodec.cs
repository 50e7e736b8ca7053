using System.Globalization;
using System.Text.Json;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A recovery point as UTF-8 JSON and back. Sealing is the vault's.</summary>
internal static class RecoveryPointCodec
{
    /// <summary>How deep the JSON of points and skipped items may be nested, objects and arrays that are not known included.</summary>
    public const int MaxDepth = 16;

    /// <summary>Most bytes that a point's JSON may have.</summary>
    public const int MaxLength = 64 << 20;

    /// <summary>Most sources of a point.</summary>
    public const int MaxSources = 65_536;

    /// <summary>Most tags of a point.</summary>
    public const int MaxTags = 1_024;

    /// <summary>Most characters of a tag, a name, a version or a status.</summary>
    public const int MaxTextLength = 1_024;

    private const string Posix = "posix";
    private const string Windows = "windows";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    /// <summary>Encodes a point. The caller has checked how many sources and tags it has, and how long they are.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it would be longer than a reader takes, by the paths of its sources.</exception>
    public static byte[] Encode(RecoveryPoint point)
    {
        byte[] content = Serialize(point);
        return content.Length <= MaxLength ? content : throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            string.Create(CultureInfo.InvariantCulture, $"The recovery point would have {content.Length:n0} bytes, most of them paths of its {point.Sources.Count:n0} sources; it can have {MaxLength:n0}."),
            "Name fewer sources, or folders that hold several of them, or make more than one backup.");
    }

    /// <summary>Decodes a point. Fields that are not known are passed over.</summary>
    /// <param name="content">The JSON.</param>
    /// <param name="name">The stored object it came from, for messages.</param>
    /// <exception cref="BackupException">VaultDataCorrupt: it is not a recovery point.</exception>
    public static RecoveryPoint Decode(ReadOnlySpan<byte> content, string name)
    {
        var check = new Checker(name);
        if (content.Length > MaxLength)
        {
            throw check.Damaged($"it has {content.Length} bytes");
        }

        RecoveryPointJson json;
        try
        {
            json = check.Present(JsonSerializer.Deserialize(content, RecoveryPointJsonContext.Default.RecoveryPointJson), "content");
        }
        catch (JsonException fault)
        {
            throw check.Damaged("it is not the JSON of a recovery point", fault);
        }

        return new RecoveryPoint
        {
            SessionId = check.Id<SessionId>(json.Session, "session"),
            MachineId = check.Id<MachineId>(json.Machine, "machine"),
            MachineName = check.Text(json.MachineName, "machineName"),
            OperatingSystem = check.Text(json.OperatingSystem, "operatingSystem"),
            AgentVersion = check.Text(json.AgentVersion, "agentVersion"),
            Started = check.Time(json.Started, "started"),
            Ended = check.Time(json.Ended, "ended"),
            Status = StatusOf(check.Text(json.Status, "status")),
            OtherStatus = StatusOf(json.Status!) == RecoveryPointStatus.Other ? json.Status : null,
            ParentSessionId = json.Parent is null ? null : check.Id<SessionId>(json.Parent, "parent"),
            Tags = [.. check.AtMost(json.Tags ?? [], MaxTags, "tags").Select(tag => check.Text(tag, "tags"))],
            Sources = [.. check.AtMost(check.Present(json.Sources, "sources"), MaxSources, "sources").Select(source => check.Source(source))],
            NewBytes = check.Count(json.NewBytes, "newBytes"),
            StoredBytes = check.Count(json.StoredBytes, "storedBytes"),
            SkippedCount = check.Count(json.SkippedCount, "skippedCount"),
            SkippedItems = [.. (json.SkippedItems ?? []).Select(id => check.Chunk(id, "skippedItems"))],
        };
    }

    private static byte[] Serialize(RecoveryPoint point) => JsonSerializer.SerializeToUtf8Bytes(
        new RecoveryPointJson(
            point.SessionId.ToString(),
            point.MachineId.ToString(),
            point.MachineName,
            point.OperatingSystem,
            point.AgentVersion,
            point.Started.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture),
            point.Ended.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture),
            point.StatusText,
            point.ParentSessionId?.ToString(),
            point.Tags.Count == 0 ? null : point.Tags,
            [.. point.Sources.Select(ToJson)],
            point.NewBytes,
            point.StoredBytes,
            point.SkippedCount,
            point.SkippedItems.Count == 0 ? null : [.. point.SkippedItems.Select(id => id.ToString())]),
        RecoveryPointJsonContext.Default.RecoveryPointJson);

    // What a later version says is none of ours, whatever our names are.
    private static RecoveryPointStatus StatusOf(string text) => text switch
    {
        nameof(RecoveryPointStatus.Completed) => RecoveryPointStatus.Completed,
        nameof(RecoveryPointStatus.CompletedWithWarnings) => RecoveryPointStatus.CompletedWithWarnings,
        nameof(RecoveryPointStatus.InProgress) => RecoveryPointStatus.InProgress,
        _ => RecoveryPointStatus.Other,
    };

    private static RecoveryPointSourceJson ToJson(RecoveryPointSource source) => new(
        source.Path,
        source.Form == PathForm.Windows ? Windows : Posix,
        source.FileSystem,
        source.IsMountPoint,
        new ManifestRootJson(
            source.Manifest.Id.ToString(),
            source.Manifest.Depth,
            source.Manifest.Entries,
            source.Manifest.Files,
            source.Manifest.Directories,
            source.Manifest.Bytes),
        source.Changes is { } changes
            ? new SourceChangesJson(changes.Earlier, changes.New, changes.Changed, changes.Gone, changes.Renamed, changes.ReadBytes)
            : null)
    {
        Consistency = source.Consistency?.Level.ToString(),
        Snapshot = source.Consistency?.Snapshot,
        ConsistencyReason = source.Consistency?.Reason,
        Warning = source.Warning,
    };

    // What a later version promises is not known here, so nothing is relied on.
    private static ConsistencyLevel LevelOf(string text) => text switch
    {
        nameof(ConsistencyLevel.Crash) => ConsistencyLevel.Crash,
        nameof(ConsistencyLevel.FileSystem) => ConsistencyLevel.FileSystem,
        nameof(ConsistencyLevel.Application) => ConsistencyLevel.Application,
        _ => ConsistencyLevel.None,
    };

    /// <summary>Checks fields, and names the object and the field where one is not right.</summary>
    private sealed class Checker(string name)
    {
        public BackupException Damaged(string what, Exception? cause = null) => new(
            BackupErrorId.VaultDataCorrupt,
            $"The recovery point '{name}' is damaged: {what}.",
            "Verify the vault. Use another recovery point.",
            target: name,
            innerException: cause);

        public T Present<T>(T? value, string field)
            where T : class => value ?? throw Damaged($"'{field}' is missing");

        public TId Id<TId>(string? value, string field)
            where TId : struct, IVaultId<TId> => TId.TryParse(value, out TId id) ? id : throw NoId(field, IdDigits.Count);

        public ChunkId Chunk(string? value, string field) => value is { Length: 2 * ChunkId.Length } && value.All(char.IsAsciiHexDigitLower)
            ? new ChunkId(Convert.FromHexString(value))
            : throw NoId(field, 2 * ChunkId.Length);

        public long Count(long value, string field) => value >= 0 ? value : throw Damaged($"'{field}' is negative");

        public DateTimeOffset Time(string? value, string field) =>
            DateTimeOffset.TryParseExact(
                value, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
                ? time
                : throw Damaged($"'{field}' is not a time");

        public string Text(string? value, string field) =>
            Present(value, field).Length <= MaxTextLength ? value! : throw Damaged($"'{field}' has more than {MaxTextLength} characters");

        public IReadOnlyList<T> AtMost<T>(IReadOnlyList<T> values, int max, string field) =>
            values.Count <= max ? values : throw Damaged($"it has {values.Count} {field}");

        public RecoveryPointSource Source(RecoveryPointSourceJson? json)
        {
            RecoveryPointSourceJson source = Present(json, "sources");
            string path = Present(source.Path, "path");
            PathForm form = source.Form switch
            {
                Posix => PathForm.Posix,
                Windows => PathForm.Windows,
                _ => throw Damaged("the form of a source's path is not known"),
            };
            if (!SourcePath.IsValid(form, path))
            {
                throw Damaged("the path of a source is not legal");
            }

            ManifestRootJson root = Present(source.Manifest, "manifest");
            if (root.Depth is < 0 or > ManifestFormat.MaxDepth)
            {
                throw Damaged($"a manifest cannot be {root.Depth} levels deep");
            }

            return new RecoveryPointSource
            {
                Path = path,
                Form = form,
                FileSystem = source.FileSystem,
                IsMountPoint = source.IsMountPoint,
                Consistency = source.Consistency is null ? null : new SourceConsistency(
                    LevelOf(Text(source.Consistency, "consistency")),
                    source.Snapshot is null ? null : Text(source.Snapshot, "snapshot"),
                    source.ConsistencyReason is null ? null : Text(source.ConsistencyReason, "consistencyReason")),
                Warning = source.Warning is null ? null : Text(source.Warning, "warning"),
                Manifest = new ManifestRoot(
                    Chunk(root.Id, "id"),
                    root.Depth,
                    Count(root.Entries, "entries"),
                    Count(root.Files, "files"),
                    Count(root.Directories, "directories"),
                    Count(root.Bytes, "bytes")),
                Changes = source.Changes is { } changes
                    ? new SourceChanges(
                        Count(changes.Earlier, "earlier"),
                        Count(changes.New, "new"),
                        Count(changes.Changed, "changed"),
                        Count(changes.Gone, "gone"),
                        Count(changes.Renamed, "renamed"),
                        Count(changes.ReadBytes, "readBytes"))
                    : null,
            };
        }

        private BackupException NoId(string field, int digits) => Damaged($"'{field}' is not an id of {digits} hexadecimal digits");
    }
}
