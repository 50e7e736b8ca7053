using System.Security.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A file being restored, by whichever workers open the chunks it needs. It counts what is still to come; whoever brings the
/// last part completes it. A file that fails is given up, and leaves nothing behind. Where one is there that may be the same, parts are
/// compared with it, and nothing is written before one differs.
/// </summary>
internal sealed class RestoreFile
{
    private readonly RestoreJob _job;
    private readonly RestoreItem _item;
    private readonly Lock _gate = new();
    private readonly FileNames _names;
    private readonly Dictionary<long, byte[]>? _digests;
    private readonly List<(long Offset, long Length)> _kept = [];
    private IRestoreFile? _file;
    private BackupException? _failure;
    private volatile bool _differs;
    private long _done;
    private int _pending = 1;

    /// <summary>A file of which nothing has come yet.</summary>
    public RestoreFile(RestoreJob job, RestoreItem item)
    {
        _job = job;
        _item = item;
        _digests = job.Verifier is null ? null : [];
        _differs = item.Placement is not (Placement.Compare or Placement.Same);
        _names = new FileNames(job, item.Entry.Path);
        item.Folder?.Expect();
    }

    /// <summary>The file at its place, whose bytes may be those that are needed; null where none is.</summary>
    public ManifestEntry? Existing => _item.Existing is { Kind: EntryKind.File } existing ? existing : null;

    /// <summary>Whether it is not decided yet that something is written.</summary>
    public bool IsCompared => !_differs;

    // What differs is left as it is.
    private bool IsLeft => _differs && _item.Placement == Placement.Compare && _job.Conflict == RestoreConflict.Skip;

    /// <summary>One part more to come.</summary>
    public void Expect() => Interlocked.Increment(ref _pending);

    /// <summary>Writes a part, or finds it there.</summary>
    /// <param name="offset">Where in the file.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="isWholeChunk">Whether they are all of a chunk, whose name then vouches for them.</param>
    /// <param name="isInPlace">Whether they were read from the file that is there, from the same place.</param>
    public void Write(long offset, ReadOnlySpan<byte> content, bool isWholeChunk, bool isInPlace = false)
    {
        if (_failure is not null || IsLeft)
        {
            return;
        }

        try
        {
            if (_digests is not null && !isWholeChunk)
            {
                byte[] digest = SHA256.HashData(content);
                lock (_gate)
                {
                    _digests[offset] = digest;
                }
            }

            if (!_differs)
            {
                if ((isInPlace || IsThere(offset, content)) && TryKeep(offset, content.Length))
                {
                    return;
                }

                _differs = true;
                if (IsLeft)
                {
                    return;
                }
            }

            Open().Write(offset, content);
            Interlocked.Add(ref _done, content.Length);
            _job.Tally.CountBytes(content.Length);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            Fail(fault);
        }
    }

    /// <summary>Counts a part that would be written.</summary>
    public void Rehearse(long length)
    {
        Interlocked.Add(ref _done, length);
        _job.Tally.CountBytes(length);
    }

    /// <summary>A hole: nothing is written, but what is there may not be one.</summary>
    public void SkipHole(long offset, long length)
    {
        try
        {
            _differs = _differs || !_job.Target.IsZero(Existing!, offset, length);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            // What cannot be read is not known to be the same.
            _differs = true;
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

        bool stayed = await CompleteAsync(cancellationToken).ConfigureAwait(false);
        if (_failure is null && _job.Verifier is { } verifier)
        {
            // What stayed was compared byte for byte.
            if (stayed)
            {
                _job.Tally.CountVerified();
            }
            else
            {
                await verifier.VerifyAsync(_item, _digests!, cancellationToken).ConfigureAwait(false);
                await _job.Streams.VerifyAsync(_item, cancellationToken).ConfigureAwait(false);
            }
        }

        _names.Make(_failure);
        _item.Folder?.Release();
    }

    /// <summary>Gives the file a further name, now or as soon as it is complete.</summary>
    public void AddLink(RestoreItem link) => _names.Add(link);

    private IRestoreFile Open()
    {
        lock (_gate)
        {
            if (_file is null)
            {
                if (_item.Placement == Placement.Compare && _job.Conflict == RestoreConflict.Copy)
                {
                    _item.GoBeside(_job.Names.FindBeside(_item.Entry.Path, _job.Target));
                    _names.MoveTo(_item.Entry.Path);
                }

                _job.Tally.WorkOn(_item);
                _file = _job.Target.CreateFile(_item.Entry);
                _job.OpenFiles[this] = _file;
            }

            return _file;
        }
    }

    private bool IsThere(long offset, ReadOnlySpan<byte> content)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(content.Length);
        try
        {
            Span<byte> there = buffer.AsSpan(0, content.Length);
            return _job.Target.Read(Existing!, offset, there) == content.Length && there.SequenceEqual(content);
        }
        catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
        {
            // What cannot be read is not known to be the same.
            return false;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // False where the file is written already: then the part must be written too.
    private bool TryKeep(long offset, long length)
    {
        lock (_gate)
        {
            if (_file is not null)
            {
                return false;
            }

            if (_kept.Count > 0 && _kept[^1].Offset + _kept[^1].Length == offset)
            {
                _kept[^1] = (_kept[^1].Offset, _kept[^1].Length + length);
            }
            else
            {
                _kept.Add((offset, length));
            }

            return true;
        }
    }

    // True where what was there stayed.
    private async ValueTask<bool> CompleteAsync(CancellationToken cancellationToken)
    {
        bool stays = false;
        try
        {
            if (_failure is null && IsLeft)
            {
                Fail(_item.Exists());
            }
            else if (_failure is null)
            {
                stays = !_differs;
                if (stays)
                {
                    Stay();
                }
                else
                {
                    await WriteOutAsync(cancellationToken).ConfigureAwait(false);
                }
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

        _job.Tally.Pass(_item.Entry.Size - _done);
        return stays;
    }

    private void Stay()
    {
        if (_item.Placement == Placement.Same)
        {
            _job.Tally.CountAlreadyThere();
            return;
        }

        bool isLinked = _item.Entry.Metadata.LinkCount > 1;
        if (_job.Overwrites)
        {
            _job.Target.SetMetadata(_item.Entry, freeze: !isLinked, fault => _job.Tally.Report(_item, fault));
        }
        else if (!isLinked)
        {
            // A restore that was killed may not have come to it.
            _job.Target.Freeze(_item.Entry, fault => _job.Tally.Report(_item, fault));
        }

        if (isLinked)
        {
            _job.FreezeLater(_item);
        }

        _job.Tally.CountAlreadyThere();
    }

    private async ValueTask WriteOutAsync(CancellationToken cancellationToken)
    {
        IRestoreFile file = Open();
        foreach ((long offset, long length) in _kept)
        {
            file.CopyFrom(Existing!, offset, length);
        }

        if (await _job.Streams.WriteAsync(_item, file, cancellationToken).ConfigureAwait(false) is { } failure)
        {
            // What is there does not give way to less.
            if (_item.Replaces)
            {
                Fail(failure);
                return;
            }

            _job.Tally.Report(_item, failure);
        }

        if (_item.Placement == Placement.Compare)
        {
            _job.Tally.CountConflict();
        }

        bool isLinked = _item.Entry.Metadata.LinkCount > 1;
        file.Complete(_item.Replaces, freeze: !isLinked, fault => _job.Tally.Report(_item, fault));
        if (isLinked)
        {
            _job.FreezeLater(_item);
            _names.NoteGiven(_item.Entry.Path);
        }

        _job.Tally.CountDone(_item.Entry.Kind);
    }
}
