using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>A call that a server has not answered yet.</summary>
internal sealed class ServedCall(PipeRequest request, CancellationToken connection) : IDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(connection);
    private readonly SemaphoreSlim _pages = new(2);
    private readonly TaskCompletionSource _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? _content;
    private int _received;

    /// <summary>What was asked.</summary>
    public PipeRequest Request => request;

    /// <summary>Cancelled where nobody waits for the answer any more.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Makes room for an object's content, which may come from now on.</summary>
    public byte[] Expect()
    {
        byte[] content = GC.AllocateUninitializedArray<byte>((int)request.Length);
        Volatile.Write(ref _content, content);
        return content;
    }

    /// <summary>Waits until the content is whole.</summary>
    public Task WholeAsync() => _whole.Task.WaitAsync(Stop);

    /// <summary>Waits until one more page may be sent.</summary>
    public Task NextPageAsync() => _pages.WaitAsync(Stop);

    /// <summary>Takes a part of the content.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable where there is no room for it.</exception>
    public void Take(ReadOnlySpan<byte> data)
    {
        if (Volatile.Read(ref _content) is not { } content || data.Length > content.Length - _received)
        {
            throw PipeErrors.Garbled("more than there is room for");
        }

        data.CopyTo(content.AsSpan(_received));
        _received += data.Length;
        if (_received == content.Length)
        {
            _whole.TrySetResult();
        }
    }

    /// <summary>Lets one more page come.</summary>
    /// <exception cref="BackupException">VaultProgramUnusable where more were asked for than anybody needs.</exception>
    public void Grant()
    {
        if (_pages.CurrentCount >= 16)
        {
            throw PipeErrors.Garbled("a demand for too many pages");
        }

        _pages.Release();
    }

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Cancel() => _stop.Cancel();

    public void Dispose()
    {
        _stop.Dispose();
        _pages.Dispose();
    }
}
