namespace MSOnlineBackup.Vaults.Ids;

/// <summary>
/// An id that stands in the names of a vault's objects: 16 bytes, written as 32 lower-case hexadecimal digits. Each kind is a type of its own, so
/// that one is not taken for another.
/// </summary>
/// <typeparam name="TSelf">The kind.</typeparam>
public interface IVaultId<TSelf>
    where TSelf : struct, IVaultId<TSelf>
{
    /// <summary>Reads an id; false where the text is none.</summary>
    static abstract bool TryParse(ReadOnlySpan<char> text, out TSelf id);
}
