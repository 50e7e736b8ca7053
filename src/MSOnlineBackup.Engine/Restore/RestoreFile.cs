using System.Security.Cryptography;
using MSOnlineBackup.Engine.Errors;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A file being restored, by whichever workers open the chunks it needs. It counts what is still to come; whoever brings the
/// last part completes it. A file that fails is given up, and leaves nothing behind.
/// </summary>
internal sealed class RestoreFile
{
    private readonly RestoreJob _job;
    private readonly RestoreItem _item;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, byte[]>? _digests;
    private IRestoreFile? _file;
    private BackupException? _failure;
    private List<RestoreItem>? _links;
    private bool _ended;
    private int _pending = 1;

    /// <summary>A file of which nothing has come yet.</summary>
    public RestoreFile(RestoreJob job, RestoreItem item)
    {
        _job = job;
        _item = item;
        _digests = job.Verifier is null ? null : [];
        item.Folder?.Expect();
    }

    /// <summary>A file that is at the target already; only its other names may be to come.</summary>
    public static RestoreFile AlreadyThere(RestoreJob job, RestoreItem item)
    {
        var file = new RestoreFile(job, item) { _ended = true };
        item.Folder?.Release();
        return file;
    }

    /// <summary>One part more to come.</summary>
    public void Expect() => Interlocked.Increment(ref _pending);

    /// <summary>Writes a part.</summary>
    /// <param name="offset">Where in the file.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="isWholeChunk">Whether they are all of a chunk, whose name then vouches for them.</param>
    public void Write(long offset, ReadOnlySpan<byte> content, bool isWholeChunk)
    {
        if (_failure is not null)
        {
            return;
        }

        try
        {
            Open().Write(offset, content);
            if (_digests is not null && !isWholeChunk)
            {
                byte[] digest = SHA256.HashData(content);
                lock (_gate)
                {
                    _digests[offset] = digest;
                }
            }

            _job.Tally.CountBytes(content.Length);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            Fail(fault);
        }
    }

    /// <summary>Gives the file up.</summary>
    public void Fail(BackupException fault) => Interlocked.CompareExchange(ref _failure, fault, null);

    /// <summary>One part less to come; with the last one the file is completed.</summary>
    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Decrement(ref _pending) != 0)
        {
            return;
        }

        Complete();
        if (_failure is null && _job.Verifier is { } verifier)
        {
            await verifier.VerifyAsync(_item, _digests!, cancellationToken).ConfigureAwait(false);
        }

        MakeLinks();
        _item.Folder?.Release();
    }

    /// <summary>Gives the file a further name, now or as soon as it is complete.</summary>
    public void AddLink(RestoreItem link)
    {
        link.Folder?.Expect();
        lock (_gate)
        {
            if (!_ended)
            {
                (_links ??= []).Add(link);
                return;
            }
        }

        MakeLink(link);
    }

    private IRestoreFile Open()
    {
        lock (_gate)
        {
            if (_file is null)
            {
                _job.Tally.WorkOn(_item);
                _file = _job.Target.CreateFile(_item.Entry);
                _job.OpenFiles[this] = _file;
            }

            return _file;
        }
    }

    private void Complete()
    {
        try
        {
            if (_failure is null)
            {
                Open().Complete(_item.Replace, fault => _job.Tally.Report(_item, fault));
                _job.Tally.CountDone(_item.Entry.Kind);
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            Fail(fault);
        }

        if (_job.OpenFiles.TryRemove(this, out IRestoreFile? file))
        {
            file.Dispose();
        }

        if (_failure is { } failure)
        {
            _job.Tally.Report(_item, failure);
        }
    }

    private void MakeLinks()
    {
        List<RestoreItem>? links;
        lock (_gate)
        {
            _ended = true;
            links = _links;
            _links = null;
        }

        links?.ForEach(MakeLink);
    }

    private void MakeLink(RestoreItem link)
    {
        try
        {
            if (_failure is { } failure)
            {
                _job.Tally.Report(link, failure);
            }
            else
            {
                _job.Target.CreateHardLink(link.Entry.Path, _item.Entry.Path, link.Replace);
                _job.Tally.CountDone(link.Entry.Kind);
            }
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            _job.Tally.Report(link, fault);
        }

        link.Folder?.Release();
    }
}
