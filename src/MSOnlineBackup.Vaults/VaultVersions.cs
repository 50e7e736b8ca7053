using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults;

/// <summary>What a vault says of versions.</summary>
/// <param name="Format">The version of its format.</param>
/// <param name="MinAgent">The oldest version of this software that may write to it; null where any may.</param>
/// <param name="IsAccepted">Whether this version may.</param>
public sealed record VaultVersions(int Format, Version? MinAgent, bool IsAccepted)
{
    /// <summary>The newest format that this version reads and writes.</summary>
    public static int Newest => VaultHeader.SupportedFormat;
}
