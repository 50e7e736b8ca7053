using System.Diagnostics;
using System.Threading.Channels;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What is drafted of one source, in path order, and the bundle that its small files go into meanwhile.</summary>
/// <param name="scope">What the whole job shares.</param>
/// <param name="tree">The source.</param>
/// <param name="drafts">Where the drafts go; holds at least <see cref="Bundler.MaxDrafts"/>, or the stages would wait for each other.</param>
/// <param name="stopping">Ends the waiting for room, where nobody takes the drafts any more.</param>
internal sealed class SourceDrafts(BackupScope scope, ISourceTree tree, ChannelWriter<Draft> drafts, CancellationToken stopping)
{
    private const int MostLists = 16;

    // Holds an item for each list that is under way.
    private readonly Channel<bool> _lists = Channel.CreateBounded<bool>(MostLists);
    private readonly string _root = EntryName.Escape(tree.RootPath.Span);

    /// <summary>What the whole job shares.</summary>
    public BackupScope Scope => scope;

    /// <summary>The open bundle.</summary>
    public Bundler Bundler { get; } = new(scope.Session.Chunks, scope.Store.Keys.BundleBoundaryKey);

    /// <summary>The full path of an item, for messages.</summary>
    public string Full(ManifestEntry entry) => SourcePath.Join(PathText.Local, _root, entry.Path);

    /// <summary>Lists an item as skipped.</summary>
    public void Skip(ManifestEntry entry, BackupException reason) => scope.Skip(Full(entry), reason);

    /// <summary>Sends a draft on.</summary>
    public async ValueTask SendAsync(Draft draft)
    {
        await drafts.WriteAsync(draft, stopping).ConfigureAwait(false);
        await Bundler.CountAsync(draft is Draft.FileChunk chunk ? chunk.Length : 0).ConfigureAwait(false);
    }

    /// <summary>Sends on a slice list that the vault has, where no bundle is open: waits while the manifest has many others to take.</summary>
    public async ValueTask SendListAsync(SliceListReference reference, IReadOnlyList<ContentSlice> slices)
    {
        // The manifest waits for the name of an open bundle, which the waiting here would never close.
        Debug.Assert(!Bundler.IsOpen, "A bundle is open.");
        await _lists.Writer.WriteAsync(true, stopping).ConfigureAwait(false);
        await SendAsync(new Draft.FileList(reference, slices, _lists.Reader)).ConfigureAwait(false);
    }

    /// <summary>Sends a checkpoint on, where one is due and no bundle is open.</summary>
    /// <param name="current">The large file under way, if any.</param>
    public ValueTask CheckpointIfDueAsync(ManifestEntry? current) =>
        !Bundler.IsOpen && scope.IsCheckpointDue() ? SendAsync(new Draft.Checkpoint(current)) : ValueTask.CompletedTask;

    /// <summary>Says that no draft comes any more.</summary>
    /// <param name="failure">Why the reading ended early, where it did.</param>
    public void Complete(Exception? failure = null)
    {
        if (failure is not null)
        {
            Bundler.Abandon();
        }

        drafts.TryComplete(failure);
    }
}
