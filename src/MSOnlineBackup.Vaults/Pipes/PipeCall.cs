using System.Threading.Channels;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>A call that was sent and not answered yet, as its sender knows it.</summary>
/// <param name="slots">Where its place is given back when the answer comes, whether somebody waits for it or not: until then the server has it.</param>
/// <param name="destination">Where what is read goes.</param>
internal sealed class PipeCall(SemaphoreSlim slots, Memory<byte> destination)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // As many pages as were asked for: the server sends no others.
    private readonly Channel<IReadOnlyList<StoredObject>> _pages = Channel.CreateUnbounded<IReadOnlyList<StoredObject>>();
    private int _received;
    private int _pagesDue;
    private bool _isAbandoned;

    /// <summary>Whether nothing of the answer is to stay in memory but for who asked.</summary>
    public bool IsSecret { get; init; }

    /// <summary>The body of the answer.</summary>
    public Task<byte[]> Answer => _answer.Task;

    /// <summary>Ends when the server has room for the object, or has answered.</summary>
    public Task Room => _room.Task;

    /// <summary>The pages of a listing.</summary>
    public ChannelReader<IReadOnlyList<StoredObject>> Pages => _pages.Reader;

    /// <summary>How many bytes were received.</summary>
    public int Received => _received;

    /// <summary>Notes that one more page may come.</summary>
    public void ExpectPage() => Interlocked.Increment(ref _pagesDue);

    /// <summary>Whatever still comes goes nowhere: the destination is the caller's again when this returns.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _isAbandoned = true;
        }

        _pages.Writer.TryComplete();
    }

    /// <summary>Takes a frame that is no answer.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable where it does not belong there.</exception>
    public void Take(PipeFrame frame)
    {
        switch (frame.Kind)
        {
            case PipeFrameKind.Data:
                TakeData(frame.Body.Span);
                break;
            case PipeFrameKind.Grant:
                _room.TrySetResult();
                break;
            case PipeFrameKind.Page when Interlocked.Decrement(ref _pagesDue) >= 0:
                _pages.Writer.TryWrite(PipeAnswer.DecodePage(frame.Body.Span));
                break;
            default:
                throw PipeErrors.Garbled("a frame that nobody waits for");
        }
    }

    /// <summary>Gives the answer, and the place back.</summary>
    public void Complete(byte[] answer)
    {
        slots.Release();
        _answer.TrySetResult(answer);
        _pages.Writer.TryComplete();
        _room.TrySetResult();
    }

    /// <summary>Says that it failed, and gives the place back.</summary>
    public void Fail(BackupException failure)
    {
        slots.Release();
        _answer.TrySetException(Copy(failure));
        _pages.Writer.TryComplete(Copy(failure));
        _room.TrySetResult();

        // Where nobody waits any more, nobody needs to know.
        _ = _answer.Task.Exception;
        _ = _pages.Reader.Completion.Exception;
    }

    // Each that is thrown keeps its own trace.
    private static BackupException Copy(BackupException failure) => new(
        failure.Id, failure.Message, failure.RecommendedAction, failure.Target, failure.IsTransient, failure.InnerException, failure.ErrorCode, failure.RetryAfter);

    private void TakeData(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (data.Length > destination.Length - _received)
            {
                throw PipeErrors.Garbled("more than was asked for");
            }

            if (!_isAbandoned)
            {
                data.CopyTo(destination.Span[_received..]);
            }

            _received += data.Length;
        }
    }
}
