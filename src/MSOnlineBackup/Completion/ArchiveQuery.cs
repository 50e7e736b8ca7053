using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Completion;

/// <summary>Asks recovery points for what completion offers.</summary>
internal static class ArchiveQuery
{
    /// <summary>Answers a question about the recovery points that an item belongs to; this machine's, where there is none.</summary>
    public static IReadOnlyList<T> Run<T>(OBRecoverableItem? item, Func<RecoveryArchive, CancellationToken, Task<List<T>>> question) =>
        CompletionWork.Run(async stop =>
        {
            using RecoveryArchive archive = await RecoveryArchive.OpenAsync(
                ModuleEnvironment.OpenAgent(_ => { }), item?.ServerName, item?.Access, VaultPatience.Person, _ => { }, stop).ConfigureAwait(false);
            return await question(archive, stop).ConfigureAwait(false);
        });
}
