using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Packs;

/// <summary>A pack of the vault, as the index names it. A great vault has hundreds of thousands: one object each.</summary>
internal sealed class PackInfo
{
    private readonly SaltBytes _salt;

    /// <param name="session">The session that wrote it.</param>
    /// <param name="number">Its number within the session.</param>
    /// <param name="kind">What it holds.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="salt">32 bytes, from which its key is derived.</param>
    /// <param name="epoch">Which of the store's master keys has sealed it.</param>
    public PackInfo(SessionId session, uint number, PackKind kind, int length, ReadOnlySpan<byte> salt, byte epoch = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, PackFormat.SaltLength);
        (Session, Number, Kind, Length, Epoch) = (session, number, kind, length, epoch);
        salt.CopyTo(_salt);
    }

    /// <summary>The session that wrote it.</summary>
    public SessionId Session { get; }

    /// <summary>Its number within the session.</summary>
    public uint Number { get; }

    /// <summary>What its name is made of.</summary>
    public (SessionId Session, uint Number) Key => (Session, Number);

    public PackKind Kind { get; }

    /// <summary>Its length in bytes.</summary>
    public int Length { get; }

    public ReadOnlySpan<byte> Salt => _salt;

    /// <summary>Which of the store's master keys has sealed it.</summary>
    public byte Epoch { get; }

    /// <summary>Whether this version can read it: false where its kind or its flags are a newer version's, or its key is not at hand.</summary>
    public bool IsKnown { get; init; } = true;

    /// <summary>False once the pack is known to be missing, of the wrong length, or not readable by this version: its chunks then count as absent.</summary>
    public bool IsAvailable { get; set; } = true;

    [InlineArray(PackFormat.SaltLength)]
    private struct SaltBytes
    {
        private byte _first;
    }
}
