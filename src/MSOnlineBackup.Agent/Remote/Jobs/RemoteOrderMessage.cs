using System.Text.Json;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;

namespace MSOnlineBackup.Agent.Remote.Jobs;

/// <summary>
/// An order as it goes to the machine: <c>store id 16 | key slot 16 | master key 32 | JSON</c>. The key is not part of the JSON, so that it is bytes from beginning to end, which are zeroed.
/// </summary>
/// <param name="VaultId">Which vault is served.</param>
/// <param name="CopyId">Which of its twins.</param>
/// <param name="Location">Where the server has it, for messages.</param>
/// <param name="PackSize">At which size a pack is closed, in bytes: the server's memory is shared by all machines.</param>
/// <param name="Machine">The machine's name in the vault.</param>
/// <param name="Sources">Absolute paths on the machine.</param>
/// <param name="Profile">By which rules sources are taken.</param>
internal sealed record RemoteOrderMessage(string VaultId, string CopyId, string Location, int PackSize, string Machine, IReadOnlyList<string> Sources, string Profile)
{
    /// <summary>The version of orders that this program gives and understands.</summary>
    public const int Version = 1;

    /// <summary>What one frame takes.</summary>
    public const int MostBytes = 256 << 10;

    private const int IdLength = 16;
    private const int KeyLength = IdLength + IdLength + StoreKeys.MasterKeyLength;
    private const int LeastPack = 1 << 20;
    private const int MostPack = 64 << 20;

    public IReadOnlyList<SourceKind> Allowed { get => field ?? []; init; } = [];

    public IReadOnlyList<string> Exclude { get => field ?? []; init; } = [];

    public IReadOnlyList<string> ExcludeFiles { get => field ?? []; init; } = [];

    public bool ExcludeCaches { get; init; }

    public long? ExcludeLargerThan { get; init; }

    public bool NonRecursive { get; init; }

    public bool CrossMountPoints { get; init; }

    public IReadOnlyList<string> Tags { get => field ?? []; init; } = [];

    public bool ReadEverything { get; init; }

    public int VerifyOneIn { get; init; }

    public Compression Compression { get; init; }

    public SnapshotMode Snapshots { get; init; }

    public string? ScriptFile { get; init; }

    /// <summary>Puts an order down.</summary>
    public static RemoteOrderMessage Of(RemoteBackupOrder order, Vaults.Vault vault, int packSize) => new(
        vault.VaultId, vault.CopyId, vault.Location, packSize, order.MachineName, order.Sources, order.Rules.Name)
    {
        Allowed = order.Rules.Allowed,
        Exclude = order.Selection.Exclude,
        ExcludeFiles = order.Selection.ExcludeFiles,
        ExcludeCaches = order.Selection.ExcludeCaches,
        ExcludeLargerThan = order.Selection.ExcludeLargerThan,
        NonRecursive = order.Selection.NonRecursive,
        CrossMountPoints = order.Selection.CrossMountPoints,
        Tags = order.Tags,
        ReadEverything = order.ReadEverything,
        VerifyOneIn = order.VerifyOneIn,
        Compression = order.Compression,
        Snapshots = order.Snapshots,
        ScriptFile = order.ScriptFile,
    };

    /// <summary>As it is sent, with the key.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is longer than one frame takes.</exception>
    public byte[] Encode(UnlockedKey key)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this, RemoteJobJson.Default.RemoteOrderMessage);
        if (json.Length > MostBytes - KeyLength)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The order for '{Machine}' has {json.Length} bytes; at most {MostBytes - KeyLength} are sent.",
                "Name folders that hold several of the sources, or use fewer patterns.",
                Machine);
        }

        byte[] message = new byte[KeyLength + json.Length];
        key.StoreId.ToBytes().CopyTo(message, 0);
        Convert.FromHexString(key.KeyId).CopyTo(message, IdLength);
        key.MasterKey.CopyTo(message, IdLength + IdLength);
        json.CopyTo(message, KeyLength);
        return message;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote. The key is a copy, and the caller's to dispose of.</summary>
    /// <exception cref="BackupException">AgentVersionDiffers.</exception>
    public static (RemoteOrderMessage Order, UnlockedKey Key) Decode(ReadOnlySpan<byte> message)
    {
        if (message.Length < KeyLength)
        {
            throw RemoteErrors.NotUnderstood("it is too short", null);
        }

        RemoteOrderMessage order = RemoteJobJson.Read(message[KeyLength..], MostBytes, RemoteJobJson.Default.RemoteOrderMessage);
        order.Check();
        return (order, new UnlockedKey(
            new StoreId(message[..IdLength]),
            Convert.ToHexStringLower(message.Slice(IdLength, IdLength)),
            message.Slice(IdLength + IdLength, StoreKeys.MasterKeyLength).ToArray()));
    }

    /// <summary>The backup that is wanted, on this machine.</summary>
    /// <param name="stateFolder">Where this machine's agent has its state.</param>
    /// <param name="vaultFolders">Folders of the vault itself, where it lies on this machine.</param>
    /// <exception cref="BackupException">ArgumentInvalid: a path is not absolute here.</exception>
    public BackupRequest ToRequest(string stateFolder, IReadOnlyList<string> vaultFolders)
    {
        foreach (string path in Sources.Append(ScriptFile).OfType<string>().Where(path => !Path.IsPathFullyQualified(path)))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, $"'{path}' is no absolute path on '{Machine}'.", "Write paths in full, as that machine writes them: /home/anna.", path);
        }

        var selection = new SourceSelection
        {
            Exclude = Exclude,
            ExcludeFiles = ExcludeFiles,
            ExcludeCaches = ExcludeCaches,
            ExcludeLargerThan = ExcludeLargerThan,
            NonRecursive = NonRecursive,
            CrossMountPoints = CrossMountPoints,
        };
        return new BackupRequest
        {
            MachineName = Machine,
            Sources = [.. Sources.Select(path => new BackupSource.Tree(path, selection))],
            Tags = Tags,
            ReadEverything = ReadEverything,
            VerifyOneIn = VerifyOneIn,
            Compression = Compression,
            OwnFolders = [stateFolder, .. vaultFolders],
            Rules = PolicyLimits.Find(Profile)!.Sources with { Allowed = Allowed },
            Snapshots = new SnapshotOptions(Snapshots, Path.Combine(stateFolder, StateFolder.Snapshots)),
            ScriptFile = ScriptFile,
        };
    }

    /// <summary>What it says for people; never the key, which is no part of it.</summary>
    public override string ToString() => $"{Machine}: {string.Join(", ", Sources)}";

    private void Check()
    {
        bool isSound = Machine.Length > 0 && Sources.Count > 0 && PackSize is >= LeastPack and <= MostPack && VerifyOneIn >= 0 && ExcludeLargerThan is null or >= 0
            && Enum.IsDefined(Compression) && Enum.IsDefined(Snapshots) && Allowed.All(Enum.IsDefined) && PolicyLimits.Find(Profile) is not null;
        bool isWhole = !Sources.Concat(Exclude).Concat(ExcludeFiles).Concat(Tags).Any(text => text is null or "");
        if (!isSound || !isWhole)
        {
            throw RemoteErrors.NotUnderstood("something in it is none that this version knows", null);
        }
    }
}
