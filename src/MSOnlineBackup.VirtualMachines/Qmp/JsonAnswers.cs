using System.Text.Json;

namespace MSOnlineBackup.VirtualMachines.Qmp;

/// <summary>What QEMU answers: whatever is not there, or of another kind, is null.</summary>
internal static class JsonAnswers
{
    /// <summary>A member.</summary>
    public static JsonElement? Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement member) ? member : null;

    /// <summary>The text of a member.</summary>
    public static string? Text(this JsonElement json, string name) => json.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>The number of a member.</summary>
    public static long? Number(this JsonElement json, string name) => json.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out long value) ? value : null;

    /// <summary>Whether a member is true.</summary>
    public static bool Is(this JsonElement json, string name) => json.Member(name) is { ValueKind: JsonValueKind.True };

    /// <summary>The elements of an array; none where it is none.</summary>
    public static IEnumerable<JsonElement> Elements(this JsonElement? json) => json is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];
}
