using System.Text.Json;

namespace MSOnlineBackup.VirtualMachines.Azure.Management;

/// <summary>Reads what the resource manager says of things: what is not there, or of another kind, is null.</summary>
internal static class JsonReading
{
    /// <summary>What lies below some names.</summary>
    public static JsonElement? Find(this JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
            {
                return null;
            }
        }

        return element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : element;
    }

    /// <summary>A text.</summary>
    public static string? Text(this JsonElement element, params ReadOnlySpan<string> path) => element.Find(path) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

    /// <summary>A whole number.</summary>
    public static long? Number(this JsonElement element, params ReadOnlySpan<string> path) => element.Find(path) is { ValueKind: JsonValueKind.Number } found && found.TryGetInt64(out long value) ? value : null;

    /// <summary>The elements of a list; none where there is no list.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, params ReadOnlySpan<string> path) => element.Find(path) is { ValueKind: JsonValueKind.Array } found ? found.EnumerateArray() : [];
}
