using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// JSON that shows whether it is as it was written: its last name is <c>checksum</c>, the SHA-256 of every byte before it. So a flipped bit of
/// an id, a date or a version is told from another id, date or version; and names that this version does not know are covered as well.
/// </summary>
internal static class CheckedJson
{
    /// <summary>How many levels of arrays and objects there may be.</summary>
    public const int MaxDepth = 16;

    /// <summary>What follows the bytes that the checksum covers: <c>,"checksum":"64 hexadecimal digits"}</c>.</summary>
    public const int TailLength = 79;

    private static ReadOnlySpan<byte> Introduction => ",\"checksum\":\""u8;

    /// <summary>The stored form.</summary>
    public static byte[] Encode<T>(T value, JsonTypeInfo<T> type)
    {
        byte[] plain = JsonSerializer.SerializeToUtf8Bytes(value, type);
        return Complete(plain.AsSpan(0, plain.Length - 1));
    }

    /// <summary>What was encoded; null where it is not as it was written.</summary>
    /// <exception cref="JsonException">It is as it was written, and yet not what is expected here.</exception>
    public static T? TryDecode<T>(ReadOnlySpan<byte> content, JsonTypeInfo<T> type)
        where T : class =>
        IsSound(content) ? JsonSerializer.Deserialize([.. Covered(content), (byte)'}'], type) : null;

    /// <summary>Whether the bytes are as they were written.</summary>
    public static bool IsSound(ReadOnlySpan<byte> content) =>
        content.Length > TailLength && content[^TailLength..].SequenceEqual(Tail(Covered(content), stackalloc byte[TailLength]));

    /// <summary>Adds the checksum to JSON without its last brace.</summary>
    public static byte[] Complete(ReadOnlySpan<byte> covered) => [.. covered, .. Tail(covered, stackalloc byte[TailLength])];

    /// <summary>The bytes that the checksum covers.</summary>
    public static ReadOnlySpan<byte> Covered(ReadOnlySpan<byte> content) => content[..^TailLength];

    /// <summary>The version that the object names, whatever else a newer one may say; 0 where it names none.</summary>
    public static long FormatOf(ReadOnlySpan<byte> content)
    {
        try
        {
            var reader = new Utf8JsonReader(content, new JsonReaderOptions { MaxDepth = MaxDepth });
            JsonElement json = JsonElement.ParseValue(ref reader);
            return json.ValueKind == JsonValueKind.Object && json.TryGetProperty("format", out JsonElement format) && format.ValueKind == JsonValueKind.Number
                && format.TryGetInt64(out long number)
                ? number
                : 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for names that are no text, such as half a surrogate pair.
            return 0;
        }
    }

    private static Span<byte> Tail(ReadOnlySpan<byte> covered, Span<byte> tail)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(covered, hash);
        Introduction.CopyTo(tail);
        Convert.TryToHexStringLower(hash, tail[Introduction.Length..], out _);
        "\"}"u8.CopyTo(tail[^2..]);
        return tail;
    }
}
