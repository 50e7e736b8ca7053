using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>
/// The threads that serve a mount. One at a time waits for the kernel. What it can answer at once it answers, and goes on: nobody has to be woken for that. Where an
/// answer takes its time, the next thread waits for the kernel meanwhile.
/// </summary>
/// <param name="device">Where the kernel asks. It is closed when the last thread has ended.</param>
/// <param name="server">Who answers.</param>
/// <param name="used">Is told of each request. From any thread.</param>
/// <param name="stop">Stops answers that are under way.</param>
internal sealed class FuseServing(FuseDevice device, FuseServer server, Action used, CancellationToken stop)
{
    // What the kernel asks of a file system that is not written to; longest are names, and the numbers of what it forgets.
    private const int RequestLength = 128 << 10;

    // Whoever lists a folder asks for the next item within some microseconds. To look again for about 50 costs less than to sleep and to be woken.
    private const int PauseBetweenLooks = 20;
    private static readonly int _looks = Environment.ProcessorCount > 1 ? 60 : 0;

    private readonly Lock _turn = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _threads;

    /// <summary>Ends when the file system is taken off, and nobody is in it any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts to serve.</summary>
    /// <param name="threads">How many requests are served at a time, from 1.</param>
    public void Start(int threads)
    {
        _threads = threads;
        for (int thread = 0; thread < threads; thread++)
        {
            // Threads of their own: they wait for the kernel.
            new Thread(Serve) { IsBackground = true, Name = "mount" }.Start();
        }
    }

    private void Serve()
    {
        byte[] request = new byte[RequestLength];
        var answer = new FuseAnswer(FuseServer.MostRead);
        for (bool hasTurn = false; ;)
        {
            if (!hasTurn)
            {
                _turn.Enter();
                hasTurn = true;
            }

            int length = Take(request);
            if (-length is Errno.Interrupted or Errno.NotFound || length == -Errno.TryAgain)
            {
                continue;
            }

            if (length < 0)
            {
                _turn.Exit();
                break;
            }

            used();
            int? error;
            try
            {
                ValueTask<int?> answering = server.AnswerAsync(request.AsSpan(0, length), answer, stop);
                if (!answering.IsCompleted)
                {
                    _turn.Exit();
                    hasTurn = false;
                }

#pragma warning disable VSTHRD002, VSTHRD103 // A thread that only serves: nothing waits for it but the kernel.
                error = answering.IsCompletedSuccessfully ? answering.Result : answering.AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002, VSTHRD103
            }
            catch (Exception e)
            {
                // A thread that ended would let whoever asked wait for ever.
                server.Tell(e);
                error = Errno.InputOutput;
            }

            if (error is { } number)
            {
                // Whoever asked may be gone by now, which is no failure.
                _ = device.Write(answer.Finish(FuseRequest.UniqueOf(request), number));
            }
        }

        if (Interlocked.Decrement(ref _threads) == 0)
        {
            device.Dispose();
            _ended.TrySetResult();
        }
    }

    // A negative errno where nothing came.
    private int Take(byte[] request)
    {
        int length = device.Take(request);
        for (int look = 0; length == -Errno.TryAgain && look < _looks; look++)
        {
            Thread.SpinWait(PauseBetweenLooks);
            length = device.Take(request);
        }

        if (length != -Errno.TryAgain)
        {
            return length;
        }

        device.Wait();
        return device.Take(request);
    }
}
