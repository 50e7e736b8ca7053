using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;


namespace MSOnlineBackup.Agent.Machine;

/// <summary>
/// <c>OnlineBackup.KEK</c>: by it a machine opens its chunk store without a passphrase.
/// <c>magic "OBKEK" | version 1 | vault id 16 | machine id 16 | store id 16 | key id 16 | seal of the master key</c>. The key of
/// the seal comes from the machine's secret, and the seal authenticates all that stands before it.
/// </summary>
internal static class KeyFile
{
    public const string Name = "OnlineBackup.KEK";

    private const byte Version = 1;
    private const int VersionOffset = 5;
    private const int VaultOffset = 6;
    private const int MachineOffset = VaultOffset + IdLength;
    private const int StoreOffset = MachineOffset + IdLength;
    private const int KeyOffset = StoreOffset + IdLength;
    private const int HeaderLength = KeyOffset + IdLength;
    private const int IdLength = 16;
    private const int Length = HeaderLength + StoreKeys.MasterKeyLength + SaltedSeal.Overhead;

    private static ReadOnlySpan<byte> Magic => "OBKEK"u8;

    /// <summary>The file's bytes.</summary>
    /// <param name="secret">The machine's key for this purpose.</param>
    public static byte[] Encode(byte[] secret, string vaultId, MachineId machineId, UnlockedKey key)
    {
        byte[] header =
        [
            .. Magic, Version,
            .. Convert.FromHexString(vaultId), .. machineId.ToBytes(),
            .. key.StoreId.ToBytes(), .. Convert.FromHexString(key.KeyId),
        ];
        return [.. header, .. SaltedSeal.Seal(secret, key.MasterKey, header)];
    }

    /// <summary>Reads the file.</summary>
    /// <param name="path">Where it came from, for the message.</param>
    /// <exception cref="BackupException">KeyFileInvalid.</exception>
    public static UnlockedKey Decode(byte[] secret, string vaultId, MachineId machineId, ReadOnlySpan<byte> content, string path)
    {
        if (content.Length <= VersionOffset || !content.StartsWith(Magic))
        {
            throw Invalid(path, "it is truncated, or is not a key file");
        }

        if (content[VersionOffset] != Version)
        {
            throw Invalid(path, "it is damaged, or a newer version of MSOnlineBackup wrote it");
        }

        if (content.Length != Length)
        {
            throw Invalid(path, "it is truncated, or has extra data at its end");
        }

        if (Id(content, VaultOffset) != vaultId)
        {
            throw Invalid(path, "it belongs to another vault");
        }

        if (new MachineId(content.Slice(MachineOffset, IdLength)) != machineId)
        {
            throw Invalid(path, "it belongs to another machine");
        }

        byte[] master = SaltedSeal.TryOpen(secret, content[HeaderLength..], content[..HeaderLength])
            ?? throw Invalid(path, "it is damaged, or was made with another machine's secret");
        return new UnlockedKey(new StoreId(content.Slice(StoreOffset, IdLength)), Id(content, KeyOffset), master);
    }

    /// <summary>The error of a key file that does not serve.</summary>
    /// <param name="why">The end of "… the key file cannot be used: ".</param>
    public static BackupException Invalid(string path, string why, Exception? inner = null) => new(
        BackupErrorId.KeyFileInvalid,
        $"The encryption passphrase stored on this computer is not correctly configured. The key file '{path}' cannot be used: {why}.",
        "Run 'Repair-OBKey' with this machine's passphrase, or restore the file from a copy. Nothing in the vault is affected.",
        path,
        innerException: inner,
        errorCode: "34506");

    private static string Id(ReadOnlySpan<byte> content, int offset) => Convert.ToHexStringLower(content.Slice(offset, IdLength));
}
