using System.Collections.Concurrent;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>What the parts of one running restore share.</summary>
/// <param name="Target">Where to.</param>
/// <param name="Tally">What was done.</param>
/// <param name="Verifier">Reads restored files again; null where that was not asked for.</param>
/// <param name="Conflict">What becomes of what is there and is not the same.</param>
/// <param name="Names">How what is restored beside something is called.</param>
internal sealed record RestoreJob(IRestoreTarget Target, RestoreTally Tally, IRestoreVerifier? Verifier, RestoreConflict Conflict, CopyNaming Names) : IDisposable
{
    private readonly ConcurrentQueue<RestoreItem> _toFreeze = new();

    /// <summary>Whether what is there is to be as the point says.</summary>
    public bool Overwrites => Conflict == RestoreConflict.Overwrite;

    /// <summary>Restores long streams; set before the first item is taken.</summary>
    public ItemStreams Streams { get; set; } = null!;

    /// <summary>Files begun and not finished: what a stopped restore takes away again.</summary>
    public ConcurrentDictionary<RestoreFile, IRestoreFile> OpenFiles { get; } = new();

    /// <summary>Folders that were opened up and have not got back what that took.</summary>
    public ConcurrentDictionary<RestoreFolder, Action> OpenedFolders { get; } = new();

    /// <summary>Flags that forbid changes are set when no further name of the file is to come.</summary>
    public void FreezeLater(RestoreItem item)
    {
        if (item.Entry.HasAttribute(AttributeTag.InodeFlags))
        {
            _toFreeze.Enqueue(item);
        }
    }

    /// <summary>Nothing more is to come.</summary>
    public void Freeze()
    {
        while (_toFreeze.TryDequeue(out RestoreItem? item))
        {
            try
            {
                Target.Freeze(item.Entry, fault => Tally.Report(item, fault));
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                Tally.Report(item, fault);
            }
        }
    }

    public void Dispose()
    {
        foreach (IRestoreFile file in OpenFiles.Values)
        {
            file.Dispose();
        }

        // Of a restore that was stopped: those of one that was not have it.
        Freeze();
        foreach (RestoreFolder folder in OpenedFolders.Keys)
        {
            folder.GiveBack();
        }
    }
}
