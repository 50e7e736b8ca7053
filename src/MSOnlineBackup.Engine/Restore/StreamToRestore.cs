using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>A long named stream of an item, as it is to be at the target.</summary>
/// <param name="Name">Its raw name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Read">Reads it: its parts, in order and without a gap. What cannot be read is thrown.</param>
internal sealed record StreamToRestore(ReadOnlyMemory<byte> Name, long Length, Func<CancellationToken, IAsyncEnumerable<StreamPart>> Read)
{
    /// <summary>Its name, as text.</summary>
    public string ShownName => EntryName.Escape(Name.Span);
}

/// <summary>A run of a stream: bytes, which hold until the next part is asked for, or a hole.</summary>
/// <param name="Length">How many bytes.</param>
/// <param name="Bytes">The bytes; empty for a hole.</param>
internal readonly record struct StreamPart(long Length, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Whether it is a hole.</summary>
    public bool IsHole => Bytes.IsEmpty;
}
