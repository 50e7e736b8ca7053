using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources.Unix;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>A file being restored, under its temporary name until it is complete.</summary>
internal sealed class UnixRestoreFile : IRestoreFile
{
    private readonly UnixRestoreTarget _target;
    private readonly ManifestEntry _entry;
    private readonly TargetFolders.Lease _folder;
    private readonly byte[] _temporary;
    private readonly uint _freezing;
    private int _handle;
    private long _end;
    private int _sized;
    private bool _placed;
    private bool _disposed;
    private BackupException? _flagsFailure;

    /// <summary>Takes over the folder's lease and the file's handle.</summary>
    public UnixRestoreFile(UnixRestoreTarget target, ManifestEntry entry, TargetFolders.Lease folder, byte[] temporary, int handle)
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
            target.Metadata.AddFlags(handle, flags & ~_freezing, FullPath, failure => _flagsFailure = failure);
        }
    }

    private ReadOnlySpan<byte> FullPath => _target.FullPath(_entry.Path);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        // What is written behind a hole and at the file's end makes some file systems (XFS) set room aside behind it,
        // which the next run of data would then enclose; within the file they set none aside.
        if (offset > Interlocked.Read(ref _end) && Interlocked.Exchange(ref _sized, 1) == 0)
        {
            Check(UnixSystem.Truncate(_handle, _entry.Size));
        }

        Check(UnixSystem.Write(_handle, offset, content));
        long end = offset + content.Length;
        long seen = Interlocked.Read(ref _end);
        while (end > seen)
        {
            long before = Interlocked.CompareExchange(ref _end, end, seen);
            seen = before == seen ? end : before;
        }
    }

    /// <inheritdoc/>
    public void Complete(bool replace, Action<BackupException> reportMetadata)
    {
        if (_end != _entry.Size && _sized == 0)
        {
            Check(UnixSystem.Truncate(_handle, _entry.Size));
        }

        Check(_target.System.Stat(_handle, out UnixStat stat));
        bool inherited = _folder.HandsOnAccessList(_target.Metadata);
        _target.Metadata.Set(_entry, new UnixNode(_handle, -1, default), stat, inherited, FullPath, reportMetadata);
        int closed = UnixSystem.CloseWritten(_handle);
        _handle = -1;
        Check(closed);
        _target.Place(_folder, _temporary, _entry.Path, replace);
        _placed = true;
        Freeze(reportMetadata);
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

        if (!_placed)
        {
            _ = UnixSystem.Unlink(_folder.Handle, _temporary);
        }

        _folder.Dispose();
    }

    private void Freeze(Action<BackupException> reportMetadata)
    {
        if (_freezing == 0)
        {
            return;
        }

        int handle = _target.System.OpenFile(_folder.Handle, _entry.Path.Name);
        if (handle < 0)
        {
            reportMetadata(UnixRestoreError.OfMetadata(handle, "Flags", "Run the restore as root where they matter.", FullPath));
            return;
        }

        _target.Metadata.AddFlags(handle, _freezing, FullPath, reportMetadata);
        UnixSystem.Close(handle);
    }

    private void Check(int result)
    {
        if (result < 0)
        {
            throw UnixRestoreError.OfItem(result, FullPath);
        }
    }
}
