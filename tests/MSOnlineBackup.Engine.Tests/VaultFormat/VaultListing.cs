using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Storage;
using MSOnlineBackup.Vaults.Stores;

namespace MSOnlineBackup.Engine.Tests.VaultFormat;

/// <summary>
/// What a vault holds, every byte of it read, as lines of JSON that a reader in whichever language can make as well: the records of owner and machines, then
/// for each point, oldest first, a line of its own, its skipped items, and for each source a line and its entries. Paths, names and targets are text as section
/// 10 of the format says; times are seconds since 1970 and nanoseconds.
/// </summary>
internal static class VaultListing
{
    /// <summary>How the lines of records begin, which the engine does not tell as they are.</summary>
    public const string Record = """{"object":""";

    private static readonly string[] _kinds = ["", "file", "folder", "symbolic link", "pipe", "socket", "character device", "block device"];

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>What the independent reader finds.</summary>
    public static string Read(IndependentReader reader)
    {
        var lines = new StringBuilder();
        foreach ((string name, JsonElement body) in reader.Records())
        {
            Add(lines, new RecordLine(name, body));
        }

        foreach (JsonElement point in reader.Points())
        {
            string tag = Text(point.GetProperty("tags")[0])!;
            Add(lines, new PointLine(tag, Text(point.GetProperty("session"))!, Text(point, "parent"), Text(point, "machineName")!, Text(point, "status")!));
            foreach (JsonElement skipped in reader.SkippedItems(point))
            {
                Add(lines, new SkippedLine(tag, Text(skipped, "path")!, Text(skipped, "id")!, Text(skipped, "reason")!));
            }

            foreach (JsonElement source in point.GetProperty("sources").EnumerateArray())
            {
                string path = Text(source, "path")!;
                Add(lines, new SourceLine(tag, path, Text(source, "form")!, Text(source, "fileSystem"), source.GetProperty("isMountPoint").GetBoolean()));
                foreach (IndependentEntry entry in reader.Entries(source))
                {
                    Add(lines, new EntryLine(
                        tag,
                        path,
                        IndependentReader.PathText(entry.Path),
                        _kinds[entry.Kind],
                        entry.Flags,
                        Octal((uint)entry.Mode),
                        $"{entry.UserId}:{entry.GroupId}",
                        entry.Size,
                        [entry.Modified.Seconds, entry.Modified.Nanoseconds],
                        [entry.Changed.Seconds, entry.Changed.Nanoseconds],
                        entry.Created is { } created ? [created.Seconds, created.Nanoseconds] : null,
                        entry.FileId,
                        entry.Links,
                        entry.DeviceId,
                        entry.Kind is 6 or 7 ? $"{entry.DeviceNumber >> 32}:{(uint)entry.DeviceNumber}" : null,
                        entry.Kind == 3 ? IndependentReader.PathText(entry.LinkTarget) : null,
                        [.. entry.Attributes.Select(attribute => new AttributeLine(attribute.Tag, IndependentReader.PathText(attribute.Name), Convert.ToBase64String(attribute.Value)))],
                        entry.Kind == 1 && (entry.Flags & 4) == 0 ? Convert.ToHexStringLower(SHA256.HashData(reader.Content(entry))) : null));
                }
            }
        }

        return lines.ToString();
    }

    /// <summary>What the engine finds; it has no lines for records.</summary>
    public static async Task<string> ReadAsync(UnlockedVault engine, IVaultStore objects, CancellationToken cancel)
    {
        ChunkStore store =
            await TestVault.OpenStoreAsync(objects, await VaultHeader.ReadAsync(objects, cancel), engine.Key.StoreId, engine.Key.MasterKey, cancel);
        var lines = new StringBuilder();
        foreach (RecoveryPoint point in (await engine.ListPointsAsync(null, cancel)).Reverse())
        {
            string tag = point.Tags[0];
            Add(lines, new PointLine(tag, point.SessionId.ToString(), point.ParentSessionId?.ToString(), point.MachineName, point.StatusText));
            await foreach (SkippedItem skipped in engine.ListSkippedAsync(point, cancel))
            {
                Add(lines, new SkippedLine(tag, skipped.Path, skipped.Id.ToString(), skipped.Reason));
            }

            foreach (RecoveryPointSource source in point.Sources)
            {
                Add(lines, new SourceLine(tag, source.Path, source.Form == PathForm.Posix ? "posix" : "windows", source.FileSystem, source.IsMountPoint));
                await foreach (ManifestEntry entry in new ManifestReader(store, source.Manifest).ReadAsync(EntryPath.Root, cancel))
                {
                    EntryMetadata metadata = entry.Metadata;
                    Add(lines, new EntryLine(
                        tag,
                        source.Path,
                        entry.Path.ToString(),
                        _kinds[(int)entry.Kind],
                        (uint)entry.Flags,
                        Octal(metadata.Mode),
                        $"{metadata.UserId}:{metadata.GroupId}",
                        entry.Size,
                        [metadata.Modified.Seconds, metadata.Modified.Nanoseconds],
                        [metadata.Changed.Seconds, metadata.Changed.Nanoseconds],
                        metadata.Created is { } created ? [created.Seconds, created.Nanoseconds] : null,
                        metadata.FileId,
                        (int)metadata.LinkCount,
                        metadata.DeviceId,
                        entry.Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice
                            ? $"{metadata.DeviceNumber >> 32}:{(uint)metadata.DeviceNumber}"
                            : null,
                        entry.Kind == EntryKind.SymbolicLink ? EntryName.Escape(entry.LinkTarget.Span) : null,
                        [.. entry.Attributes.Select(attribute => new AttributeLine((int)attribute.Tag, EntryName.Escape(attribute.Name.Span), Convert.ToBase64String(attribute.Value.Span)))],
                        entry.Kind == EntryKind.File && !entry.Flags.HasFlag(EntryFlags.Unreadable) ? await HashAsync(store, entry, cancel) : null));
                }
            }
        }

        return lines.ToString();
    }

    /// <summary>The entries that a listing names, those of one point.</summary>
    public static IEnumerable<EntryLine> Entries(string listing, string point) => listing.Split('\n')
        .Where(line => line.Contains("\"kind\":", StringComparison.Ordinal) && !line.StartsWith(Record, StringComparison.Ordinal))
        .Select(line => JsonSerializer.Deserialize<EntryLine>(line, _json)!)
        .Where(entry => entry.Point == point);

    private static async Task<string> HashAsync(ChunkStore store, ManifestEntry entry, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await foreach (ContentSlice slice in new EntryContentReader(store).ReadAsync(entry.Content, cancel))
        {
            hash.AppendData(slice.Chunk is { } chunk
                ? (await store.ReadAsync(ChunkKind.Content, chunk, cancel)).Span.Slice(slice.Offset, (int)slice.Length)
                : new byte[slice.Length]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Add<T>(StringBuilder lines, T line) => lines.Append(JsonSerializer.Serialize(line, _json)).Append('\n');

    private static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(4, '0');

    private static string? Text(JsonElement json) => json.GetString();

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    /// <summary>An object in the envelope of section 4.</summary>
    public sealed record RecordLine(string Object, JsonElement Body);

    /// <summary>A recovery point, which goes by its tag in the lines that follow.</summary>
    public sealed record PointLine(string Point, string Session, string? Parent, string MachineName, string Status);

    /// <summary>An item that was skipped.</summary>
    public sealed record SkippedLine(string Point, string Skipped, string Id, string Reason);

    /// <summary>A source.</summary>
    public sealed record SourceLine(string Point, string Source, string Form, string? FileSystem, bool IsMountPoint);

    /// <summary>An entry.</summary>
    public sealed record EntryLine(
        string Point,
        string Source,
        string Path,
        string Kind,
        uint Flags,
        string Mode,
        string Owner,
        long Size,
        long[] Modified,
        long[] Changed,
        long[]? Created,
        ulong FileId,
        int Links,
        ulong DeviceId,
        string? Device,
        string? Target,
        AttributeLine[] Attributes,
        string? Sha256);

    /// <summary>An attribute; its value in base64.</summary>
    public sealed record AttributeLine(int Tag, string Name, string Value);
}
