using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>
/// Answers the kernel from a view. Nothing is remembered of what was shown: items have numbers by which the view finds them again. Thread-safe: several threads serve
/// at a time, each with a buffer of its own.
/// </summary>
/// <param name="view">What is shown.</param>
/// <param name="owner">Who owns what no user of this system owned.</param>
/// <param name="hasAccessLists">Whether the kernel goes by access lists, and by permissions.</param>
/// <param name="trouble">Is told what could not be read: the path in the point, and why.</param>
internal sealed class FuseServer(IItemView view, FuseOwner owner, bool hasAccessLists, Action<string, BackupException> trouble)
{
    /// <summary>Most bytes of a file in one answer.</summary>
    public const int MostRead = 1 << 20;

    // FUSE_ASYNC_READ, FUSE_DO_READDIRPLUS, FUSE_ASYNC_DIO, FUSE_NO_OPEN_SUPPORT, FUSE_PARALLEL_DIROPS, FUSE_MAX_PAGES; FUSE_POSIX_ACL.
    private const uint Features = 1 | (1 << 13) | (1 << 15) | (1 << 17) | (1 << 18) | (1 << 22);
    private const uint AccessLists = 1 << 20;
    private const uint MostReadAhead = 1 << 20;

    // Places in a folder of '.' and '..', which no item has.
    private const ulong Self = (1UL << 62) | 1;
    private const ulong Above = (1UL << 62) | 2;
    private const uint KeepCache = 1 << 1;
    private const uint CacheFolder = 1 << 3;
    private const int ItemsAtOnce = 512;
    private const int MostDamagedFolders = 10_000;

    private readonly ConcurrentDictionary<ulong, BackupException> _damagedFolders = new();

    /// <summary>Answers one request.</summary>
    /// <param name="bytes">The request.</param>
    /// <param name="answer">Where the answer is written.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The number of an error; 0 for none; null where there is no answer.</returns>
    public ValueTask<int?> AnswerAsync(ReadOnlySpan<byte> bytes, FuseAnswer answer, CancellationToken cancellationToken)
    {
        answer.Clear();
        var request = new FuseRequest(bytes);
        ulong item = request.Item;
        switch (request.Operation)
        {
            case FuseOperation.Init:
                return new ValueTask<int?>(Begin(request, answer));
            case FuseOperation.LookUp:
                return GuardAsync(item, LookUpAsync(item, request.Name(0).ToArray(), answer, cancellationToken));
            case FuseOperation.GetAttributes:
                return GuardAsync(item, GetAttributesAsync(item, answer, cancellationToken));
            case FuseOperation.ReadLink:
                return GuardAsync(item, ReadLinkAsync(item, answer, cancellationToken));
            case FuseOperation.Read:
                return GuardAsync(item, ReadAsync(item, (long)Math.Min(request.Long(8), long.MaxValue), (int)Math.Min(request.Number(16), MostRead), answer, cancellationToken));
            case FuseOperation.ReadFolderPlus:
                return GuardAsync(item, ReadFolderAsync(item, request.Long(8), (int)Math.Min(request.Number(16), MostRead), answer, cancellationToken));
            case FuseOperation.OpenFolder:
                answer.Long(0);
                answer.Number(Lasts(item) == uint.MaxValue ? KeepCache | CacheFolder : 0);
                answer.Number(0);
                return new ValueTask<int?>(0);
            case FuseOperation.ReleaseFolder:
            case FuseOperation.Destroy:
                return new ValueTask<int?>(0);
            case FuseOperation.StatFileSystem:
                answer.Zeros(40);
                answer.Number(4096);
                answer.Number(255);
                answer.Number(4096);
                answer.Zeros(28);
                return new ValueTask<int?>(0);
            case FuseOperation.GetXattr:
                return GuardAsync(item, GetXattrAsync(item, request.Name(8).ToArray(), request.Number(0), answer, cancellationToken));
            case FuseOperation.ListXattr:
                return GuardAsync(item, ListXattrAsync(item, request.Number(0), answer, cancellationToken));
            case FuseOperation.Seek:
                return GuardAsync(item, SeekAsync(item, (long)Math.Min(request.Long(8), long.MaxValue), request.Number(16), answer, cancellationToken));
            case FuseOperation.Forget:
            case FuseOperation.BatchForget:
                return new ValueTask<int?>((int?)null);
            default:
                return new ValueTask<int?>(Errno.NotImplemented);
        }
    }

    private static void Size(FuseAnswer answer, int size)
    {
        answer.Number((uint)size);
        answer.Number(0);
    }

    // FUSE is older than this on no kernel that has what .NET needs.
    private int Begin(FuseRequest request, FuseAnswer answer)
    {
        const uint Major = 7;
        const uint Minor = 31;
        if (request.Number(0) < Major || (request.Number(0) == Major && request.Number(4) < Minor))
        {
            return Errno.NotSupported;
        }

        answer.Number(Major);
        answer.Number(Minor);
        answer.Number(Math.Max(request.Number(8), MostReadAhead));
        answer.Number((Features | (hasAccessLists ? AccessLists : 0)) & request.Number(12));
        answer.Short(64);
        answer.Short(48);
        answer.Number(4096);
        answer.Number(1);
        answer.Short(MostRead / 4096);
        answer.Zeros(34);
        return 0;
    }

    /// <summary>Tells of a bug: whoever asked gets an error, and everybody else is served on.</summary>
    public void Tell(Exception bug) => trouble(
        string.Empty,
        new BackupException(BackupErrorId.UnexpectedError, $"A request could not be answered: {bug.GetType().Name}: {bug.Message}", "This is a bug: report it.", innerException: bug));

    // Whoever asks is told by the number of an error; the log says what it stands for.
    private async ValueTask<int?> GuardAsync(ulong item, ValueTask<int> answering)
    {
        try
        {
            return await answering.ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.RecoverableItemNotFound)
        {
            return Errno.NotFound;
        }
        catch (BackupException e)
        {
            await TellAsync(item, e).ConfigureAwait(false);
            return Errno.InputOutput;
        }
        catch (OperationCanceledException)
        {
            return Errno.Interrupted;
        }
    }

    private async ValueTask TellAsync(ulong item, BackupException failure)
    {
        string path;
        try
        {
            ViewItem found = await view.GetAsync(item, CancellationToken.None).ConfigureAwait(false);
            path = found.FullPath;
        }
        catch (BackupException)
        {
            // Of what cannot be read the name is not known either; the failure says which block it is.
            path = failure.Target ?? string.Empty;
        }

        trouble(path, failure);
    }

    private async ValueTask<int> LookUpAsync(ulong folder, byte[] name, FuseAnswer answer, CancellationToken cancellationToken)
    {
        if (await view.FindAsync(folder, name, cancellationToken).ConfigureAwait(false) is { } item)
        {
            answer.Entry(item, owner, Lasts(folder));
        }
        else
        {
            answer.NoEntry(Lasts(folder));
        }

        return 0;
    }

    private async ValueTask<int> GetAttributesAsync(ulong id, FuseAnswer answer, CancellationToken cancellationToken)
    {
        answer.Attributes(await view.GetAsync(id, cancellationToken).ConfigureAwait(false), owner, Lasts(id));
        return 0;
    }

    private async ValueTask<int> ReadLinkAsync(ulong id, FuseAnswer answer, CancellationToken cancellationToken)
    {
        ViewItem item = await view.GetAsync(id, cancellationToken).ConfigureAwait(false);
        answer.Bytes(item.Entry.LinkTarget.Span);
        return item.Entry.LinkTarget.IsEmpty ? Errno.Invalid : 0;
    }

    private async ValueTask<int> ReadAsync(ulong id, long offset, int size, FuseAnswer answer, CancellationToken cancellationToken)
    {
        answer.Take(await view.ReadAsync(id, offset, answer.Room[..size], cancellationToken).ConfigureAwait(false));
        return 0;
    }

    private async ValueTask<int> SeekAsync(ulong id, long offset, uint whence, FuseAnswer answer, CancellationToken cancellationToken)
    {
        const uint Data = 3;
        const uint Hole = 4;
        if (whence is not (Data or Hole))
        {
            return Errno.Invalid;
        }

        if (await view.SeekAsync(id, offset, isHole: whence == Hole, cancellationToken).ConfigureAwait(false) is not { } found)
        {
            return Errno.NoSuchDevice;
        }

        answer.Long((ulong)found);
        return 0;
    }

    private async ValueTask<int> ReadFolderAsync(ulong id, ulong after, int most, FuseAnswer answer, CancellationToken cancellationToken)
    {
        if (after == 0 && answer.TryFolderEntry(null, "."u8, Self, owner, 0, most))
        {
            after = Self;
        }

        if (after == Self && answer.TryFolderEntry(null, ".."u8, Above, owner, 0, most))
        {
            after = Above;
        }

        bool isAny = !answer.IsEmpty;
        for (ulong last = after == Above ? 0 : after; ;)
        {
            ViewPage page = await view.ListAsync(id, last, ItemsAtOnce, cancellationToken).ConfigureAwait(false);
            if (page.Damage is { } damage && _damagedFolders.Count < MostDamagedFolders)
            {
                _damagedFolders[id] = damage;
            }

            foreach (ViewItem item in page.Items)
            {
                if (!answer.TryFolderEntry(item, item.Name.Span, item.Id, owner, Lasts(id), most))
                {
                    return 0;
                }

                (last, isAny) = (item.Id, true);
            }

            if (page.IsLast)
            {
                break;
            }
        }

        // Whatever can be read was listed. Then the folder must not seem to hold nothing else.
        if (!isAny && _damagedFolders.TryRemove(id, out BackupException? unread))
        {
            await TellAsync(id, unread).ConfigureAwait(false);
            return Errno.InputOutput;
        }

        return 0;
    }

    private async ValueTask<int> GetXattrAsync(ulong id, byte[] name, uint size, FuseAnswer answer, CancellationToken cancellationToken)
    {
        ViewItem item = await view.GetAsync(id, cancellationToken).ConfigureAwait(false);
        return FuseXattrs.Find(item.Entry, name) is { } value ? Give(value.Span, size, answer) : Errno.NoAttribute;
    }

    private async ValueTask<int> ListXattrAsync(ulong id, uint size, FuseAnswer answer, CancellationToken cancellationToken)
    {
        ViewItem item = await view.GetAsync(id, cancellationToken).ConfigureAwait(false);
        return Give(FuseXattrs.List(item.Entry), size, answer);
    }

    // Without room only the length is asked for.
    private static int Give(ReadOnlySpan<byte> value, uint size, FuseAnswer answer)
    {
        if (size == 0)
        {
            Size(answer, value.Length);
            return 0;
        }

        if (value.Length > size || value.Length > MostRead)
        {
            return Errno.Range;
        }

        answer.Bytes(value);
        return 0;
    }

    private uint Lasts(ulong folder)
    {
        TimeSpan lasts = view.Lasts(folder);
        return lasts == TimeSpan.MaxValue ? uint.MaxValue : (uint)lasts.TotalSeconds;
    }
}
