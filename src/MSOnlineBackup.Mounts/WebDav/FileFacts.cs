using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>What HTTP says of an item beside its bytes.</summary>
internal static class FileFacts
{
    private static readonly Dictionary<string, string> _types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".css"] = "text/css", [".csv"] = "text/csv", [".gif"] = "image/gif", [".gz"] = "application/gzip", [".htm"] = "text/html", [".html"] = "text/html",
        [".jpeg"] = "image/jpeg", [".jpg"] = "image/jpeg", [".js"] = "text/javascript", [".json"] = "application/json", [".log"] = "text/plain",
        [".md"] = "text/markdown", [".mp3"] = "audio/mpeg", [".mp4"] = "video/mp4", [".odt"] = "application/vnd.oasis.opendocument.text",
        [".pdf"] = "application/pdf", [".png"] = "image/png", [".svg"] = "image/svg+xml", [".tar"] = "application/x-tar", [".txt"] = "text/plain",
        [".webp"] = "image/webp", [".xml"] = "application/xml", [".zip"] = "application/zip",
    };

    /// <summary>
    /// A tag that is the same for the same bytes, in whichever point and view, and never for others: it is made of where in the vault they are.
    /// </summary>
    public static string TagOf(ViewItem item)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(numbers, item.Entry.Size);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], (long)item.Entry.Flags);
        hash.AppendData(numbers);
        foreach (ContentSlice slice in item.Entry.Content.Slices)
        {
            Add(hash, slice.Chunk, slice.Offset, slice.Length);
        }

        foreach (SliceListReference list in item.Entry.Content.Lists)
        {
            Add(hash, list.Id, -1, list.Length);
        }

        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16))}\"";
    }

    /// <summary>The time of its last change, in whole seconds; null where HTTP has no way to say it.</summary>
    public static DateTimeOffset? ModifiedOf(ViewItem item) => item.Entry.Metadata.Modified.ToDateTimeOffset() is { } time
        ? DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds())
        : null;

    /// <summary>A time as HTTP writes it.</summary>
    public static string Show(DateTimeOffset time) => time.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A time that HTTP wrote; null where it is none.</summary>
    public static DateTimeOffset? ReadTime(string? text) =>
        DateTimeOffset.TryParseExact(text, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : null;

    /// <summary>What a file probably is, by its name.</summary>
    public static string TypeOf(string name) => _types.GetValueOrDefault(Path.GetExtension(name), "application/octet-stream");

    private static void Add(IncrementalHash hash, ChunkId? chunk, long offset, long length)
    {
        Span<byte> numbers = stackalloc byte[17];
        numbers[0] = chunk is null ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteInt64LittleEndian(numbers[1..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[9..], length);
        hash.AppendData(numbers);
        if (chunk is { } id)
        {
            hash.AppendData(System.Text.Encoding.ASCII.GetBytes(id.ToString()));
        }
    }
}
