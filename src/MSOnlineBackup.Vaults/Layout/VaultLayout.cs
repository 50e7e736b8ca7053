using System.Globalization;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Layout;

/// <summary>The names of everything in a vault. Ids are 32 lower-case hexadecimal digits, numbers 8.</summary>
internal static class VaultLayout
{
    private const string SessionEndSuffix = ".end";
    private const string GroupSuffix = ".group";
    private const string ShardsSuffix = ".shards";
    private const string CopySuffix = ".copy";
    private const string RemovedSuffix = ".removed";
    private const uint LastNumber = 0x7fff_fffe;

    public const string Header = "vault.json";
    public const string Settings = "settings/";
    public const string Records = "records/";
    public const string Machines = "machines/";
    public const string Stores = "stores/";

    /// <summary>Beside the stores, not in them: a listing finds every slot without touching a pack's name.</summary>
    public const string AllKeys = "keys/";

    /// <summary>In which order passphrases came into the vault.</summary>
    public const string KeysOrder = AllKeys + "order/";

    public const string Credentials = "credentials/";

    /// <summary>What the owner and approvers agreed to, once.</summary>
    public const string Consents = "consents/";

    /// <summary>What machines leave behind for whoever watches.</summary>
    public const string Statuses = "status/";

    /// <summary>What the test of a vault's protection tries its hand at; nobody else looks at it.</summary>
    public const string Probes = "probes/";

    private const string UseSuffix = ".used";
    private const string OverSuffix = ".over";

    /// <summary>Says that a consent was used.</summary>
    public static string ConsentUse(uint number) => $"{Consents}{number:x8}{UseSuffix}";

    /// <summary>Says that no consent up to a number is good any more.</summary>
    public static string ConsentsOver(uint number) => $"{Consents}{number:x8}{OverSuffix}";

    /// <summary>Takes a name below <see cref="Consents"/> apart; false where it is none of ours.</summary>
    public static bool TryParseConsent(string name, out uint number, out StoredKind kind)
    {
        ReadOnlySpan<char> last = name.AsSpan(Consents.Length);
        (kind, int suffix) = last.EndsWith(UseSuffix, StringComparison.Ordinal) ? (StoredKind.ConsentUse, UseSuffix.Length)
            : last.EndsWith(OverSuffix, StringComparison.Ordinal) ? (StoredKind.ConsentsOver, OverSuffix.Length)
            : (StoredKind.Consent, 0);
        return TryParseNumber(last[..^suffix], out number);
    }

    /// <summary>The copy beside an object of the vault itself, with the same bytes.</summary>
    public static string CopyBeside(string name) => name + CopySuffix;

    /// <summary>The object that a copy lies beside; the name itself where it is no copy's.</summary>
    public static string FirstOf(string name) => name.EndsWith(CopySuffix, StringComparison.Ordinal) ? name[..^CopySuffix.Length] : name;

    /// <summary>Whether the numbered records in a folder have copies beside them: those of the owner, which nobody else can write anew.</summary>
    public static bool HasCopies(string folder) => folder is Settings or Credentials or Records;

    public static string Machine(MachineId machineId) => $"{Machines}{machineId}/";

    /// <summary>The statuses of a machine, by a policy.</summary>
    public static string StatusesOf(MachineId machineId, string policy) => $"{Statuses}{machineId}/{policy}/";

    /// <summary>Takes the name of a status apart, <c>status/MACHINE/POLICY/NUMBER</c>.</summary>
    public static bool TryParseStatus(string name, out MachineId machineId, out string policy, out uint number)
    {
        string[] parts = name.Split('/');
        (machineId, policy, number) = (default, string.Empty, 0);
        if (parts is not ["status", var machine, { Length: > 0 } of, var last] || !MachineId.TryParse(machine, out machineId) || !TryParseNumber(last, out number))
        {
            return false;
        }

        policy = of;
        return true;
    }

    public static string Keys(StoreId storeId) => $"{AllKeys}{storeId}/";

    public static string Key(StoreId storeId, string keyId) => Keys(storeId) + keyId;

    /// <summary>Says that a key slot was removed, or is about to be: its copy does not count any more.</summary>
    public static string KeyRemoval(StoreId storeId, string keyId) => Key(storeId, keyId) + RemovedSuffix;

    /// <summary>The record by which a master key came into force, and its copy.</summary>
    public static IReadOnlyList<string> KeyEpoch(StoreId storeId, byte epoch) => [$"{Keys(storeId)}epochs/{epoch:x8}", $"{Keys(storeId)}epochs/{epoch:x8}{CopySuffix}"];

    /// <summary>A record of the order of passphrases, and its copy.</summary>
    public static IReadOnlyList<string> KeyOrder(uint number) => [$"{KeysOrder}{number:x8}", $"{KeysOrder}{number:x8}{CopySuffix}"];

    public static string Store(StoreId storeId) => $"{Stores}{storeId}/";

    public static string Packs(StoreId storeId) => $"{Stores}{storeId}/packs/";

    /// <summary>Packs are spread over 256 folders by the low byte of their number.</summary>
    public static string Pack(StoreId storeId, SessionId session, uint number) => $"{Packs(storeId)}{number & 0xff:x2}/{session}-{number:x8}";

    public static string Segments(StoreId storeId) => $"{Stores}{storeId}/index/";

    public static string Segment(StoreId storeId, SessionId session, uint number) => $"{Segments(storeId)}{session}-{number:x8}";

    public static string Checkpoints(StoreId storeId) => $"{Stores}{storeId}/checkpoints/";

    public static string Checkpoint(StoreId storeId, SessionId session, uint number) => $"{Checkpoints(storeId)}{session}-{number:x8}";

    public static string Points(StoreId storeId) => $"{Stores}{storeId}/points/";

    public static string Points(StoreId storeId, MachineId machineId) => $"{Points(storeId)}{machineId}/";

    public static string Point(StoreId storeId, MachineId machineId, SessionId session) => Points(storeId, machineId) + session;

    public static string Commits(StoreId storeId) => $"{Stores}{storeId}/commits/";

    public static string Commits(StoreId storeId, MachineId machineId) => $"{Commits(storeId)}{machineId}/";

    /// <summary>Says that there was a point: where its name is gone, it was deleted or lost.</summary>
    public static string Commit(StoreId storeId, MachineId machineId, SessionId session) => Commits(storeId, machineId) + session;

    public static string Deletions(StoreId storeId) => $"{Stores}{storeId}/deleted/";

    public static string Deletions(StoreId storeId, MachineId machineId) => $"{Deletions(storeId)}{machineId}/";

    /// <summary>What was decided on the deletion of a point, for the number-th time.</summary>
    public static string Deletion(StoreId storeId, MachineId machineId, SessionId session, uint number) => $"{Deletions(storeId, machineId)}{session}-{number:x8}";

    public static string Sessions(StoreId storeId) => $"{Stores}{storeId}/sessions/";

    public static string Session(StoreId storeId, SessionId session) => Sessions(storeId) + session;

    /// <summary>What is stored under a name. Every name that a vault may hold is here.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="storeId">The chunk store that it is of; null where it is of the vault.</param>
    public static StoredKind KindOf(string name, out StoreId? storeId)
    {
        string[] parts = name.Split('/');
        storeId = parts is ["stores" or "keys", var of, _, ..] && StoreId.TryParse(of, out StoreId id) ? id : null;
        return parts switch
        {
            [Header] => StoredKind.Header,
            ["keys", _, var key] when storeId is not null && IdDigits.AreIn(key) => StoredKind.KeySlot,
            ["keys", _, var key] when storeId is not null && key.EndsWith(CopySuffix, StringComparison.Ordinal) && IdDigits.AreIn(FirstOf(key)) => StoredKind.KeySlotCopy,
            ["keys", _, var key] when storeId is not null && key.EndsWith(RemovedSuffix, StringComparison.Ordinal) && IdDigits.AreIn(key.AsSpan(0, key.Length - RemovedSuffix.Length)) => StoredKind.KeySlotRemoval,
            ["keys", _, "epochs", _] when storeId is not null && TryParseKeyEpoch(name, out _) => StoredKind.KeyEpoch,
            ["keys", "order", _] when TryParseKeyOrder(name, out _) => StoredKind.KeyOrder,
            ["machines", var machine, var number] when MachineId.TryParse(machine, out _) && TryParseNumber(number, out _) => StoredKind.Machine,
            ["settings", var number] when TryParseNumber(FirstOf(number), out _) => StoredKind.Settings,
            ["records", var number] when TryParseNumber(FirstOf(number), out _) => StoredKind.Record,
            ["credentials", var number] when TryParseNumber(FirstOf(number), out _) => StoredKind.Credential,
            ["consents", _] when TryParseConsent(name, out _, out StoredKind kind) => kind,
            ["status", _, _, _] when TryParseStatus(name, out _, out _, out _) => StoredKind.Status,
            ["probes", var probe] when IdDigits.AreIn(probe) => StoredKind.Probe,
            ["stores", _, "sessions", var session] when storeId is not null && SessionId.TryParse(session, out _) => StoredKind.Session,
            ["stores", _, "sessions", var end] when storeId is not null && TryParseSessionEnd(end, out _) => StoredKind.SessionEnd,
            ["stores", _, "points", _, _] when storeId is not null && TryParsePoint(name, out _, out _) => StoredKind.Point,
            ["stores", _, "commits", _, _] when storeId is not null && TryParsePoint(name, out _, out _) => StoredKind.Commit,
            ["stores", _, "deleted", _, _] when storeId is not null && TryParseDeletion(name, out _, out _, out _) => StoredKind.Deletion,
            ["stores", _, "packs", { Length: 2 }, _] when storeId is not null && TryParseNumbered(name, out _, out _) => StoredKind.Pack,
            ["stores", _, "index", _] when storeId is not null && TryParseNumbered(name, out _, out _) => StoredKind.Segment,
            ["stores", _, "checkpoints", _] when storeId is not null && TryParseNumbered(name, out _, out _) => StoredKind.Checkpoint,
            ["stores", _, "gc", _] when storeId is not null => StoredKind.Collection,
            ["stores", _, "parity", _] when storeId is not null && TryParseParity(name, out _, out _, out bool isGroup) => isGroup ? StoredKind.ParityGroup : StoredKind.ParityShards,
            ["stores", _, "parity", "copies", ..] when storeId is not null && TryParseCopy(name, out _) => StoredKind.Copy,
            ["stores", _, "proofs", { Length: > 33 } proof] when storeId is not null && IdDigits.AreIn(proof.AsSpan(0, 32)) && proof[32] == '.' => StoredKind.Proof,
            ["stores", _, "groups", _] when storeId is not null && TryParseGroup(name, out _, out _) => StoredKind.Group,
            _ => StoredKind.Unknown,
        };
    }

    /// <summary>Takes the number from the name of a record by which a master key came into force, or of its copy. From 1.</summary>
    public static bool TryParseKeyEpoch(string name, out byte epoch)
    {
        bool isNumber = TryParseKeyOrder(name, out uint number) && number <= byte.MaxValue;
        epoch = isNumber ? (byte)number : (byte)0;
        return isNumber;
    }

    /// <summary>Takes the number from the name of a record of the order of passphrases, or of its copy. From 1.</summary>
    public static bool TryParseKeyOrder(string name, out uint number)
    {
        string last = name[(name.LastIndexOf('/') + 1)..];
        return TryParseNumber(FirstOf(last), out number) && number > 0;
    }

    /// <summary>Takes machine and session from the name of a point, <c>stores/STORE/points/MACHINE/SESSION</c>, or of what says that there was one.</summary>
    public static bool TryParsePoint(string name, out MachineId machineId, out SessionId session)
    {
        string[] parts = name.Split('/');
        (machineId, session) = (default, default);
        return parts is [_, _, "points" or "commits", var machine, var id] && MachineId.TryParse(machine, out machineId) && SessionId.TryParse(id, out session);
    }

    /// <summary>Takes machine, session and number from the name of a record of deletion, <c>stores/STORE/deleted/MACHINE/SESSION-NUMBER</c>.</summary>
    public static bool TryParseDeletion(string name, out MachineId machineId, out SessionId session, out uint number)
    {
        string[] parts = name.Split('/');
        (machineId, session, number) = (default, default, 0);
        return parts is [_, _, "deleted", var machine, _] && MachineId.TryParse(machine, out machineId) && TryParseNumbered(name, out session, out number);
    }

    /// <summary>Says that a session that has made no point will make none.</summary>
    public static string SessionEnd(StoreId storeId, SessionId session) => Session(storeId, session) + SessionEndSuffix;

    /// <summary>Takes the session from the last part of the name by which it says that it makes no point.</summary>
    public static bool TryParseSessionEnd(ReadOnlySpan<char> last, out SessionId session)
    {
        session = default;
        return last.EndsWith(SessionEndSuffix, StringComparison.Ordinal) && SessionId.TryParse(last[..^SessionEndSuffix.Length], out session);
    }

    /// <summary>What collectors write.</summary>
    public static string Collections(StoreId storeId) => $"{Stores}{storeId}/gc/";

    /// <summary>By what packs that are damaged or lost are brought back.</summary>
    public static string Parity(StoreId storeId) => $"{Stores}{storeId}/parity/";

    /// <summary>Which packs a parity is of.</summary>
    public static string ParityGroup(StoreId storeId, SessionId session, uint number) => $"{Parity(storeId)}{session}-{number:x8}{GroupSuffix}";

    /// <summary>The parity.</summary>
    public static string ParityShards(StoreId storeId, SessionId session, uint number) => $"{Parity(storeId)}{session}-{number:x8}{ShardsSuffix}";

    /// <summary>Second copies of small objects.</summary>
    public static string Copies(StoreId storeId) => $"{Parity(storeId)}copies/";

    /// <summary>The name of the second copy of an object of a store.</summary>
    /// <param name="name">The object's name: of an index segment, or of a point.</param>
    public static string CopyOf(string name) => name.Insert(Stores.Length + IdDigits.Count + 1, "parity/copies/");

    /// <summary>Takes the name of the object from that of its second copy.</summary>
    public static bool TryParseCopy(string name, out string original)
    {
        string[] parts = name.Split('/', 5);
        original = parts is ["stores", var of, "parity", "copies", var rest] ? $"{Stores}{of}/{rest}" : string.Empty;
        return KindOf(original, out _) is StoredKind.Segment or StoredKind.Point;
    }

    /// <summary>Takes session and number from the name of parity, or of what says which packs it is of.</summary>
    public static bool TryParseParity(string name, out SessionId session, out uint number, out bool isGroup)
    {
        (session, number) = (default, 0);
        isGroup = name.EndsWith(GroupSuffix, StringComparison.Ordinal);
        return (isGroup || name.EndsWith(ShardsSuffix, StringComparison.Ordinal)) && TryParseNumbered(name[..name.LastIndexOf('.')], out session, out number);
    }

    /// <summary>What verifications and trial restores have found.</summary>
    public static string Proofs(StoreId storeId) => $"{Stores}{storeId}/proofs/";

    /// <summary>The machines that are backed up as one.</summary>
    public static string Groups(StoreId storeId) => $"{Stores}{storeId}/groups/";

    /// <summary>What was decided on a protection group, for the number-th time.</summary>
    public static string Group(StoreId storeId, string groupId, uint number) => $"{Groups(storeId)}{groupId}-{number:x8}";

    /// <summary>Takes the group and the number from the name of its record, <c>stores/STORE/groups/GROUP-NUMBER</c>.</summary>
    public static bool TryParseGroup(string name, out string groupId, out uint number)
    {
        (groupId, number) = (string.Empty, 0);
        if (name.Split('/') is not ["stores", _, "groups", { Length: 41 } last] || last[32] != '-' || !IdDigits.AreIn(last.AsSpan(0, 32))
            || !TryParseNumber(last.AsSpan(33), out number) || number is 0 or > LastNumber)
        {
            return false;
        }

        groupId = last[..32];
        return true;
    }

    /// <summary>Takes the session and the number from the last part of a name: <c>SESSION-NUMBER</c>.</summary>
    public static bool TryParseNumbered(string name, out SessionId session, out uint number)
    {
        ReadOnlySpan<char> last = name.AsSpan(name.LastIndexOf('/') + 1);
        (session, number) = (default, 0);
        return last.Length > SessionId.DigitCount
            && last[SessionId.DigitCount] == '-'
            && SessionId.TryParse(last[..SessionId.DigitCount], out session)
            && TryParseNumber(last[(SessionId.DigitCount + 1)..], out number);
    }

    public static bool TryParseNumber(ReadOnlySpan<char> text, out uint number)
    {
        number = 0;
        return text.Length == 8 && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }
}
