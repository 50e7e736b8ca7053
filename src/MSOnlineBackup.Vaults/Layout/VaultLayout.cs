using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>The names of everything in a vault. Ids are 32 lower-case hexadecimal digits, numbers 8.</summary>
internal static class VaultLayout
{
    private const string SessionEndSuffix = ".end";

    private static readonly SearchValues<char> _hex = SearchValues.Create("0123456789abcdef");

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

    public static string Commits(string storeId) => $"{Stores}{storeId}/commits/";

    public static string Commits(string storeId, string machineId) => $"{Commits(storeId)}{machineId}/";

    /// <summary>Says that there was a point: where its name is gone, it was deleted or lost.</summary>
    public static string Commit(string storeId, string machineId, string session) => Commits(storeId, machineId) + session;

    public static string Sessions(string storeId) => $"{Stores}{storeId}/sessions/";

    public static string Session(string storeId, string session) => Sessions(storeId) + session;

    /// <summary>What is stored under a name. Every name that a vault may hold is here.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="storeId">The chunk store that it is of; empty where it is of the vault.</param>
    public static StoredKind KindOf(string name, out string storeId)
    {
        string[] parts = name.Split('/');
        storeId = parts is ["stores" or "keys", _, _, ..] ? parts[1] : string.Empty;
        return parts switch
        {
            [Header] => StoredKind.Header,
            ["keys", var store, var key] when IsId(store) && IsId(key) => StoredKind.KeySlot,
            ["machines", var machine, var number] when IsId(machine) && TryParseNumber(number, out _) => StoredKind.Machine,
            ["settings", var number] when TryParseNumber(number, out _) => StoredKind.Settings,
            ["records", var number] when TryParseNumber(number, out _) => StoredKind.Record,
            ["credentials", var number] when TryParseNumber(number, out _) => StoredKind.Credential,
            ["stores", var store, "sessions", var session] when IsId(store) && SessionId.IsValid(session) => StoredKind.Session,
            ["stores", var store, "sessions", var end] when IsId(store) && end.EndsWith(SessionEndSuffix, StringComparison.Ordinal) && SessionId.IsValid(end.AsSpan(0, end.Length - SessionEndSuffix.Length)) => StoredKind.SessionEnd,
            ["stores", var store, "points", var machine, var session] when IsId(store) && IsId(machine) && SessionId.IsValid(session) => StoredKind.Point,
            ["stores", var store, "commits", var machine, var session] when IsId(store) && IsId(machine) && SessionId.IsValid(session) => StoredKind.Commit,
            ["stores", var store, "packs", { Length: 2 }, _] when IsId(store) && TryParseNumbered(name, out _, out _) => StoredKind.Pack,
            ["stores", var store, "index", _] when IsId(store) && TryParseNumbered(name, out _, out _) => StoredKind.Segment,
            ["stores", var store, "checkpoints", _] when IsId(store) && TryParseNumbered(name, out _, out _) => StoredKind.Checkpoint,
            ["stores", var store, "gc", _] when IsId(store) => StoredKind.Collection,
            _ => StoredKind.Unknown,
        };
    }

    /// <summary>Takes machine and session from the name of a point, <c>stores/STORE/points/MACHINE/SESSION</c>, or of what says that there was one.</summary>
    public static bool TryParsePoint(string name, [NotNullWhen(true)] out string? machineId, [NotNullWhen(true)] out string? session)
    {
        string[] parts = name.Split('/');
        bool isPoint = parts is [_, _, "points" or "commits", { } machine, { } id] && IsId(machine) && SessionId.IsValid(id);
        (machineId, session) = isPoint ? (parts[3], parts[4]) : (null, null);
        return isPoint;
    }

    /// <summary>When a session was announced, by the clock of its machine, to the millisecond: its id begins with it. Null where that is not a time.</summary>
    public static DateTimeOffset? TimeOf(string session) =>
        long.TryParse(session.AsSpan(0, 12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long milliseconds)
        && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    /// <summary>Says that a session that has made no point will make none.</summary>
    public static string SessionEnd(string storeId, string session) => Session(storeId, session) + SessionEndSuffix;

    /// <summary>What collectors write.</summary>
    public static string Collections(string storeId) => $"{Stores}{storeId}/gc/";

    /// <summary>Takes the session and the number from the last part of a name: <c>SESSION-NUMBER</c>.</summary>
    public static bool TryParseNumbered(string name, [NotNullWhen(true)] out string? session, out uint number)
    {
        ReadOnlySpan<char> last = name.AsSpan(name.LastIndexOf('/') + 1);
        if (last.Length == 41 && last[32] == '-' && SessionId.IsValid(last[..32]) && TryParseNumber(last[33..], out number))
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
        text.Length == 32 && !text.ContainsAnyExcept(_hex);
}
