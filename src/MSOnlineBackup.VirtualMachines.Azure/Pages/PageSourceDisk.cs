using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Azure.Pages;

/// <summary>
/// A moment of a disk in Azure. What will be wanted is known before, so that several requests are under way, ahead of whoever reads; what is zeroes is not asked for. Memory: <see cref="Ahead"/> pieces of
/// <see cref="PieceBytes"/>.
/// </summary>
internal sealed class PageSourceDisk : ISourceDisk
{
    /// <summary>How many requests are under way at once.</summary>
    public const int Ahead = 8;

    /// <summary>How many bytes each asks for, at most.</summary>
    public const int PieceBytes = 4 << 20;

    private readonly PageBlob _blob;
    private readonly string _name;
    private readonly PageRuns _data;
    private readonly List<(long Start, int Length)> _pieces;
    private readonly Queue<(long Start, byte[] Content, Task Read)> _ahead = new();
    private readonly CancellationTokenSource _stop;
    private int _next;

    /// <summary>Creates it.</summary>
    /// <param name="blob">Where it is read.</param>
    /// <param name="name">The disk's name, for people.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <param name="data">What is not zeroes.</param>
    /// <param name="changes">What changed; null where that is not known.</param>
    /// <param name="cancellationToken">Stops reads.</param>
    public PageSourceDisk(PageBlob blob, string name, long length, PageRuns data, DiskChanges? changes, CancellationToken cancellationToken)
    {
        (_blob, _name, Length, _data, Changes) = (blob, name, length, data, changes);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // A block of which something changed is read whole.
        PageRuns wanted = changes is null ? data : data.Within(PageRuns.Of(changes.Extents.Select(run => (run.Start, run.Start + run.Length))).Widened(DiskGrid.BlockBytes, length));
        _pieces = [.. Divide(wanted)];
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public DiskChanges? Changes { get; }

    /// <inheritdoc/>
    public bool TryGetDataRun(long offset, out long start, out long length)
    {
        (long from, long to) = _data.From(offset) ?? (0, 0);
        (start, length) = (from, to - from);
        return length > 0;
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            Fill(offset, destination);
        }
        catch (BackupException e)
        {
            throw new BackupException(
                BackupErrorId.SourceItemUnreadable, $"The disk '{_name}' cannot be read: {e.Message}", "Run the backup again; the machine was not harmed.", _name, e.IsTransient, e, retryAfter: e.RetryAfter);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        while (_ahead.TryDequeue(out (long Start, byte[] Content, Task Read) piece))
        {
            // Nobody is left to tell; and what it is about is closed next.
            ((IAsyncResult)piece.Read).AsyncWaitHandle.WaitOne();
            _ = piece.Read.Exception;
        }

        _stop.Dispose();
    }

    private static IEnumerable<(long Start, int Length)> Divide(PageRuns runs)
    {
        foreach ((long start, long end) in runs.Runs)
        {
            for (long at = start; at < end;)
            {
                // Ends of pieces are ends of blocks, so that no block needs two of them for its own sake.
                long until = Math.Min(end, (at / PieceBytes * PieceBytes) + PieceBytes);
                yield return (at, (int)(until - at));
                at = until;
            }
        }
    }

    private void Fill(long offset, Span<byte> destination)
    {
        destination.Clear();
        long end = offset + destination.Length;
        for (long at = offset; _data.From(at) is { } run && run.Start < end;)
        {
            long until = Math.Min(end, run.End);
            at = run.Start;
            while (at < until)
            {
                at += Copy(at, destination.Slice((int)(at - offset), (int)(until - at)));
            }
        }
    }

    private int Copy(long at, Span<byte> destination)
    {
        Advance(at);
        if (_ahead.TryPeek(out (long Start, byte[] Content, Task Read) piece) && piece.Start <= at && at < piece.Start + piece.Content.Length)
        {
            Wait(piece.Read);
            int count = (int)Math.Min(destination.Length, piece.Start + piece.Content.Length - at);
            piece.Content.AsSpan((int)(at - piece.Start), count).CopyTo(destination);
            return count;
        }

        // What nobody expected to be wanted: the vault has lost it.
        byte[] content = new byte[destination.Length];
        Wait(_blob.ReadAsync(at, content, _stop.Token));
        content.CopyTo(destination);
        return content.Length;
    }

#pragma warning disable VSTHRD002 // Disks are read by one thread, which has no context that could be blocked.
    private static void Wait(Task read) => read.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    // Lets go of what lies behind, and asks for what comes.
    private void Advance(long at)
    {
        while (_ahead.TryPeek(out (long Start, byte[] Content, Task Read) first) && first.Start + first.Content.Length <= at)
        {
            Wait(first.Read);
            _ahead.Dequeue();
        }

        if (_ahead.Count == 0)
        {
            while (_next < _pieces.Count && _pieces[_next].Start + _pieces[_next].Length <= at)
            {
                _next++;
            }
        }

        for (; _ahead.Count < Ahead && _next < _pieces.Count; _next++)
        {
            (long start, int length) = _pieces[_next];
            byte[] content = new byte[length];
            _ahead.Enqueue((start, content, Task.Run(() => _blob.ReadAsync(start, content, _stop.Token))));
        }
    }
}
