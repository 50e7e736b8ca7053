using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Packs;

/// <summary>A pack of the vault, as the index names it.</summary>
internal sealed class PackInfo(SessionId session, uint number, PackKind kind, int length, byte[] salt)
{
    /// <summary>The session that wrote it.</summary>
    public SessionId Session { get; } = session;

    /// <summary>Its number within the session.</summary>
    public uint Number { get; } = number;

    public PackKind Kind { get; } = kind;

    /// <summary>Its length in bytes.</summary>
    public int Length { get; } = length;

    public byte[] Salt { get; } = salt;

    /// <summary>Whether this version can read it: false where its kind, its flags or the epoch of its key are a newer version's.</summary>
    public bool IsKnown { get; init; } = true;

    /// <summary>False once the pack is known to be missing, of the wrong length, or not readable by this version: its chunks then count as absent.</summary>
    public bool IsAvailable { get; set; } = true;
}
