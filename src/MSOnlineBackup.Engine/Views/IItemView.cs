using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Views;

/// <summary>
/// Recovery points as a tree of files that is only read: what mounts, servers and drives show. Names and contents come from the vault as they are asked for, and what
/// was read last is kept, within bounds. Thread-safe. Nothing in it ever changes but what <see cref="Lasts"/> says may.
/// </summary>
/// <remarks>
/// What is damaged is a <see cref="BackupException"/> where it is asked for, and nowhere else; a vault that is away is VaultUnreachable as long as it is.
/// </remarks>
public interface IItemView : IDisposable
{
    /// <summary>The folder that holds everything.</summary>
    ViewItem Root { get; }

    /// <summary>The item with a number that this view gave.</summary>
    /// <exception cref="BackupException">RecoverableItemNotFound: it gave no such number; VaultDataCorrupt, VaultDataMissing, ….</exception>
    ValueTask<ViewItem> GetAsync(ulong id, CancellationToken cancellationToken);

    /// <summary>The item of a folder that has a name; null where it has none.</summary>
    /// <param name="folder">The folder's number.</param>
    /// <param name="name">The raw name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask<ViewItem?> FindAsync(ulong folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken);

    /// <summary>The items of a folder, from one on.</summary>
    /// <param name="folder">The folder's number.</param>
    /// <param name="after">The number of the item that was had last; 0 to begin.</param>
    /// <param name="most">How many are wanted, from 1.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask<ViewPage> ListAsync(ulong folder, ulong after, int most, CancellationToken cancellationToken);

    /// <summary>Reads a file's bytes: as many as there are from the offset on, and have room.</summary>
    /// <param name="id">The file's number.</param>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many bytes; fewer than there is room only at the file's end.</returns>
    /// <exception cref="BackupException">RestoreItemFailed: it is no file, or the point has no content of it; VaultDataCorrupt, VaultDataMissing: bytes that are wanted are damaged.</exception>
    ValueTask<int> ReadAsync(ulong id, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>The first offset at or after the given one at which a file has data, or a hole (there is one at its end); null where there is none.</summary>
    /// <param name="id">The file's number.</param>
    /// <param name="offset">From where, in bytes.</param>
    /// <param name="isHole">Whether a hole is looked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask<long?> SeekAsync(ulong id, long offset, bool isHole, CancellationToken cancellationToken);

    /// <summary>What a file has at an offset, and how far that goes: who asks for a part looks no farther than that, however large the file is.</summary>
    /// <param name="id">The file's number.</param>
    /// <param name="offset">From where, in bytes, within the file.</param>
    /// <param name="most">How far, from 1.</param>
    /// <param name="cancellationToken">Stops it.</param>
    ValueTask<ViewExtent> MeasureAsync(ulong id, long offset, long most, CancellationToken cancellationToken);

    /// <summary>How long what a folder holds may be taken for what it is: for ever in a recovery point, shorter where new points show up.</summary>
    TimeSpan Lasts(ulong folder);
}
