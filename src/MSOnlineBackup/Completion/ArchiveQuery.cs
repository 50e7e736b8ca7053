using MSOnlineBackup.Recovery;

// Completion is asked on the session's thread and answered there; the work runs elsewhere.
#pragma warning disable VSTHRD002

namespace MSOnlineBackup.Completion;

/// <summary>Asks recovery points for what completion offers.</summary>
internal static class ArchiveQuery
{
    // Whoever types does not wait for a vault that is far away.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Answers a question about the recovery points that an item belongs to; this machine's, where there is none.</summary>
    public static IReadOnlyList<T> Run<T>(OBRecoverableItem? item, Func<RecoveryArchive, CancellationToken, Task<List<T>>> question)
    {
        using var stop = new CancellationTokenSource(s_patience);
        try
        {
            return Task.Run(
                async () =>
                {
                    RecoveryArchive archive = await RecoveryArchive.OpenAsync(
                        Composition.OpenAgent(_ => { }), item?.ServerName, item?.Access, stop.Token).ConfigureAwait(false);
                    return await question(archive, stop.Token).ConfigureAwait(false);
                },
                CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return [];
        }
    }
}
