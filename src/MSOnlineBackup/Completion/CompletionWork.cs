// Completion is asked on the session's thread and answered there; the work runs elsewhere.
#pragma warning disable VSTHRD002

namespace MSOnlineBackup.Completion;

/// <summary>Looks into vaults for what completion offers.</summary>
internal static class CompletionWork
{
    // Whoever types does not wait for a vault that is far away.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>What the work finds; nothing where it takes too long.</summary>
    public static IReadOnlyList<T> Run<T>(Func<CancellationToken, Task<List<T>>> work)
    {
        using var stop = new CancellationTokenSource(_patience);
        try
        {
            return Task.Run(() => work(stop.Token), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return [];
        }
    }
}
