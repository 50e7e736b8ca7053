namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>How much of contents may be on its way at once. Whoever asks is served in turn; what is larger than all the room has it alone.</summary>
internal sealed class RoomForContent(int most)
{
    private readonly int _most = most;
    private readonly Lock _gate = new();
    private readonly Queue<(int Wanted, TaskCompletionSource Admitted)> _queue = new();
    private int _free = most;

    /// <summary>Waits for room.</summary>
    /// <returns>How much is to be given back.</returns>
    public async Task<int> TakeAsync(int wanted, CancellationToken cancellationToken)
    {
        int taken = Math.Min(wanted, _most);
        var admitted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _queue.Enqueue((taken, admitted));
            Admit();
        }

        await using (cancellationToken.Register(() => admitted.TrySetCanceled(cancellationToken)).ConfigureAwait(false))
        {
            await admitted.Task.ConfigureAwait(false);
        }

        return taken;
    }

    /// <summary>Gives room back.</summary>
    public void Give(int taken)
    {
        lock (_gate)
        {
            _free += taken;
            Admit();
        }
    }

    private void Admit()
    {
        while (_queue.TryPeek(out (int Wanted, TaskCompletionSource Admitted) next) && (next.Admitted.Task.IsCanceled || next.Wanted <= _free))
        {
            _queue.Dequeue();
            if (next.Admitted.TrySetResult())
            {
                _free -= next.Wanted;
            }
        }
    }
}
