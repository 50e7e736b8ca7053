using System.Collections.Concurrent;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What the parts of one running restore share.</summary>
/// <param name="Target">Where to.</param>
/// <param name="Tally">What was done.</param>
/// <param name="Verifier">Reads restored files again; null where that was not asked for.</param>
internal sealed record RestoreJob(IRestoreTarget Target, RestoreTally Tally, RestoreVerifier? Verifier) : IDisposable
{
    /// <summary>Files begun and not finished: what a stopped restore takes away again.</summary>
    public ConcurrentDictionary<RestoreFile, IRestoreFile> OpenFiles { get; } = new();

    public void Dispose()
    {
        foreach (IRestoreFile file in OpenFiles.Values)
        {
            file.Dispose();
        }
    }
}
