using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A file being restored: without a name until it is complete where the file system has such files, else under a temporary one.</summary>
internal sealed class UnixRestoreFile : IRestoreFile
{
    private const int CopyBuffer = 256 << 10;

    private readonly UnixRestoreTarget _target;
    private readonly ManifestEntry _entry;
    private readonly TargetFolders.Lease _folder;
    private readonly uint _freezing;
    private byte[]? _temporary;
    private int _handle;
    private long _end;
    private int _sized;
    private bool _disposed;
    private BackupException? _flagsFailure;

    /// <summary>Takes over the folder's lease and the file's handle.</summary>
    /// <param name="target">The target.</param>
    /// <param name="entry">The file.</param>
    /// <param name="folder">The folder that it is made in.</param>
    /// <param name="temporary">The name that it has until it is complete; null for none.</param>
    /// <param name="handle">The file.</param>
    public UnixRestoreFile(UnixRestoreTarget target, ManifestEntry entry, TargetFolders.Lease folder, byte[]? temporary, int handle)
    {
        _target = target;
        _entry = entry;
        _folder = folder;
        _temporary = temporary;
        _handle = handle;

        // "No copy on write" and compression count only for what is written later; others forbid all writing.
        uint flags = target.Metadata.FlagsOf(entry);
        _freezing = target.System.FreezingFlags(flags);
        if (flags != _freezing)
        {
            target.Metadata.SetFlags(flags & ~_freezing, handle, FullPath, failure => _flagsFailure = failure);
        }
    }

    private ReadOnlySpan<byte> FullPath => _target.FullPath(_entry.Path);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        Reach(offset);
        Check(UnixSystem.Write(_handle, offset, content));
        Extend(offset + content.Length);
    }

    /// <inheritdoc/>
    public void CopyFrom(ManifestEntry existing, long offset, long length)
    {
        int source = _target.Existing.Open(existing);
        try
        {
            // Its holes stay holes. Where they cannot be found, everything is data; behind the last data there is nothing.
            for (long end = offset + length; offset < end;)
            {
                long data = _target.System.SeekData(source, offset);
                offset = data >= 0 ? Math.Min(data, end) : data == -Errno.NoSuchDevice ? end : offset;
                long hole = offset < end ? _target.System.SeekHole(source, offset) : end;
                long next = hole > offset ? Math.Min(hole, end) : end;
                Copy(source, offset, next);
                offset = next;
            }

            _target.Existing.CheckUnchanged(existing, source);
        }
        finally
        {
            UnixSystem.Close(source);
        }
    }

    /// <inheritdoc/>
    public IRestoreStream CreateStream(ReadOnlyMemory<byte> name, long length) =>
        new UnixRestoreStream(_target.System, _handle, name, length, FullPath.ToArray());

    /// <inheritdoc/>
    public void Complete(bool replace, bool freeze, Action<BackupException> reportMetadata)
    {
        if (_end != _entry.Size && _sized == 0)
        {
            Check(UnixSystem.Truncate(_handle, _entry.Size));
        }

        Check(_target.System.Stat(_handle, out UnixStat stat));
        Surplus surplus = _folder.HandsOnAccessList(_target.Metadata) ? Surplus.AccessLists : Surplus.Nothing;
        _target.Metadata.Set(_entry, new UnixNode(_handle, -1, default), stat, surplus, FullPath, reportMetadata);
        Check(_target.System.SynchronizeFile(_handle));
        _temporary ??= _target.Names.GiveName(_folder, _handle, _entry.Path, replace);
        int closed = UnixSystem.CloseWritten(_handle);
        _handle = -1;
        Check(closed);
        if (_temporary.Length > 0)
        {
            _target.Names.Place(_folder, _temporary, _entry.Path, replace);
            _temporary = [];
        }

        if (freeze && _freezing != 0)
        {
            _target.Items.Freeze(_folder, _entry, reportMetadata);
        }

        if (_flagsFailure is not null)
        {
            reportMetadata(_flagsFailure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_handle >= 0)
        {
            UnixSystem.Close(_handle);
        }

        if (_temporary is { Length: > 0 })
        {
            _ = UnixSystem.Unlink(_folder.Handle, _temporary);
        }

        _folder.Dispose();
    }

    private void Copy(int source, long offset, long end)
    {
        bool shares = true;
        byte[]? buffer = null;
        while (offset < end)
        {
            Reach(offset);
            long copied = shares ? _target.System.CopyRange(source, offset, _handle, offset, end - offset) : 0;
            if (copied <= 0)
            {
                // Not between these file systems, or not at all: by hand then.
                shares = false;
                buffer ??= GC.AllocateUninitializedArray<byte>(CopyBuffer);
                int read = UnixSystem.Read(source, offset, buffer.AsSpan(0, (int)Math.Min(end - offset, buffer.Length)));
                Check(read);
                if (read == 0)
                {
                    break;
                }

                Check(UnixSystem.Write(_handle, offset, buffer.AsSpan(0, read)));
                copied = read;
            }

            offset += copied;
            Extend(offset);
        }
    }

    // What is written behind a hole and at the file's end makes some file systems (XFS) set room aside behind it,
    // which the next run of data would then enclose; within the file they set none aside.
    private void Reach(long offset)
    {
        if (offset > Interlocked.Read(ref _end) && Interlocked.Exchange(ref _sized, 1) == 0)
        {
            Check(UnixSystem.Truncate(_handle, _entry.Size));
        }
    }

    private void Extend(long end)
    {
        long seen = Interlocked.Read(ref _end);
        while (end > seen)
        {
            long before = Interlocked.CompareExchange(ref _end, end, seen);
            seen = before == seen ? end : before;
        }
    }

    private void Check(int result)
    {
        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, FullPath);
        }
    }
}
