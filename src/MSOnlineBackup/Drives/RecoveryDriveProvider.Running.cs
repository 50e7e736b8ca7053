using System.Management.Automation;
using System.Management.Automation.Provider;
using MSOnlineBackup.Vaults.Errors;

// The pipeline's thread must wait: PowerShell asks providers there, and takes answers from there alone.
#pragma warning disable VSTHRD002

namespace MSOnlineBackup.Drives;

/// <summary>How the provider works on the pipeline's thread, and is stopped there.</summary>
public sealed partial class RecoveryDriveProvider
{
    private const int NoteIntervalMilliseconds = 100;

    private readonly Lock _gate = new();
    private CancellationTokenSource? _running;
    private bool _isStopped;
    private bool _hasNoted;

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        lock (_gate)
        {
            _isStopped = true;
            _running?.Cancel();
        }
    }

    /// <summary>Runs work on the thread pool and waits for it; what the user should know of while it takes longer is written meanwhile. Ctrl+C ends the waiting at once.</summary>
    private T Run<T>(Func<CancellationToken, Task<T>> work)
    {
        using var stop = new CancellationTokenSource();
        lock (_gate)
        {
            _running = stop;
            if (_isStopped)
            {
                throw new PipelineStoppedException();
            }
        }

        RecoveryVolumes.OfSession.Notes.Clear();
        try
        {
            CancellationToken token = stop.Token;
            var task = Task.Run(() => work(token), CancellationToken.None);
            while (Task.WaitAny([task], NoteIntervalMilliseconds) < 0)
            {
                WriteNotes();
                if (token.IsCancellationRequested)
                {
                    throw new PipelineStoppedException();
                }
            }

            return token.IsCancellationRequested ? throw new PipelineStoppedException() : task.GetAwaiter().GetResult();
        }
        finally
        {
            lock (_gate)
            {
                _running = null;
            }
        }
    }

    // Nobody shall wonder why nothing comes; once is enough.
    private void WriteNotes()
    {
        while (RecoveryVolumes.OfSession.Notes.TryDequeue(out string? note))
        {
            if (_hasNoted)
            {
                WriteVerbose(note);
            }
            else
            {
                WriteWarning(note);
                _hasNoted = true;
            }
        }
    }

    /// <summary>Looks for what lies at a path, and answers with it while what the drive shows is open; with null where nothing does.</summary>
    private T Look<T>(string path, bool followsLast, Func<DrivePlace?, RecoveryVolume, T> answer) =>
        DriveOf(path) is { } drive ? Look(drive, DrivePath.Split(path)[1..], followsLast, answer) : answer(null, null!);

    private T Look<T>(RecoveryDrive drive, string[] names, bool followsLast, Func<DrivePlace?, RecoveryVolume, T> answer)
    {
        RecoveryVolume volume = Open(drive);
        try
        {
            return answer(Run(stop => volume.FindAsync(names, followsLast, stop).AsTask()), volume);
        }
        finally
        {
            RecoveryVolumes.OfSession.Release(volume);
        }
    }

    private RecoveryVolume Open(RecoveryDrive drive) => Run(drive.OpenAsync);

    /// <summary>The drive that a path belongs to; null where none does. An item's path leads to it also where no drive is named.</summary>
    private RecoveryDrive? DriveOf(string path)
    {
        if (DrivePath.Split(path ?? "") is not [string volume, ..])
        {
            return null;
        }

        return PSDriveInfo is RecoveryDrive own && own.VolumeName == volume
            ? own
            : ProviderInfo.Drives.OfType<RecoveryDrive>().FirstOrDefault(drive => drive.VolumeName == volume);
    }

    private BackupException NotFound(string path) => new(
        BackupErrorId.RecoverableItemNotFound,
        $"There is no '{Shown(path, DriveOf(path))}'.",
        "List the folder above it with Get-ChildItem. Names with brackets are taken as they are by -LiteralPath.",
        path);

    // Whatever the engine throws ends as a record with an id, a category, a target and what to do.
    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception.GetType().Assembly != typeof(CmdletProvider).Assembly)
        {
            ThrowTerminatingError(RecoveryDriveException.Record(exception));
            throw;
        }
    }
}
