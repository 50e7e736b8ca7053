using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>The names of everything in a vault. Ids are 32 lower-case hexadecimal digits, numbers 8.</summary>
internal static class VaultLayout
{
    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");

    public const string Header = "vault.json";
    public const string Settings = "settings/";
    public const string Records = "records/";
    public const string Machines = "machines/";
    public const string Stores = "stores/";

    /// <summary>Beside the stores, not in them: a listing finds every slot without touching a pack's name.</summary>
    public const string AllKeys = "keys/";

    public const string Credentials = "credentials/";

    public static string Machine(string machineId) => $"{Machines}{machineId}/";

    public static string Keys(string storeId) => $"{AllKeys}{storeId}/";

    public static string Key(string storeId, string keyId) => Keys(storeId) + keyId;

    public static string Store(string storeId) => $"{Stores}{storeId}/";

    public static string Packs(string storeId) => $"{Stores}{storeId}/packs/";

    /// <summary>Packs are spread over 256 folders by the low byte of their number.</summary>
    public static string Pack(string storeId, string session, uint number) => $"{Packs(storeId)}{number & 0xff:x2}/{session}-{number:x8}";

    public static string Segments(string storeId) => $"{Stores}{storeId}/index/";

    public static string Segment(string storeId, string session, uint number) => $"{Segments(storeId)}{session}-{number:x8}";

    public static string Checkpoints(string storeId) => $"{Stores}{storeId}/checkpoints/";

    public static string Checkpoint(string storeId, string session, uint number) => $"{Checkpoints(storeId)}{session}-{number:x8}";

    public static string Points(string storeId) => $"{Stores}{storeId}/points/";

    public static string Points(string storeId, string machineId) => $"{Points(storeId)}{machineId}/";

    public static string Point(string storeId, string machineId, string session) => Points(storeId, machineId) + session;

    public static string Sessions(string storeId) => $"{Stores}{storeId}/sessions/";

    public static string Session(string storeId, string session) => Sessions(storeId) + session;

    /// <summary>Takes the session and the number from the last part of a name: <c>SESSION-NUMBER</c>.</summary>
    public static bool TryParseNumbered(string name, [NotNullWhen(true)] out string? session, out uint number)
    {
        ReadOnlySpan<char> last = name.AsSpan(name.LastIndexOf('/') + 1);
        if (last.Length == 41 && last[32] == '-' && IsId(last[..32]) && TryParseNumber(last[33..], out number))
        {
            session = last[..32].ToString();
            return true;
        }

        session = null;
        number = 0;
        return false;
    }

    public static bool TryParseNumber(ReadOnlySpan<char> text, out uint number)
    {
        number = 0;
        return text.Length == 8 && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }

    public static bool IsId(ReadOnlySpan<char> text) =>
        text.Length == 32 && !text.ContainsAnyExcept(s_hex);
}
