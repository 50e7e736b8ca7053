namespace MSOnlineBackup.Campaigns.Mounts;

/// <summary>What happens to vaults on disks.</summary>
internal static class VaultDamage
{
    /// <summary>Alters a byte in the middle of a vault's largest pack.</summary>
    public static void AlterLargestPack(string vault)
    {
        FileInfo pack = new DirectoryInfo(vault).EnumerateFiles("*", SearchOption.AllDirectories).MaxBy(file => file.Length)!;
        using FileStream file = new(pack.FullName, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length / 2;
        int altered = file.ReadByte() ^ 0xff;
        file.Position--;
        file.WriteByte((byte)altered);
    }
}
