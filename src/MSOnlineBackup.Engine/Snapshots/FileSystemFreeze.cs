using System.Diagnostics;
using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// A file system of Linux that is held still: all that was written is on its device, and whoever writes waits. A child holds it, and lets go when its input ends: when it is told to, when
/// this process ends in whatever way, or when the time is over. Meanwhile nothing may be written to it, or whoever does waits as well.
/// </summary>
internal sealed class FileSystemFreeze : IAsyncDisposable
{
    /// <summary>What the child does. $1: where the file system is mounted; $2: the most seconds that it is held. 3: not frozen; 4: not let go; 5: let go when the time was over.</summary>
    internal const string Script = """
        trap '' HUP INT TERM
        fsfreeze --freeze "$1" || exit 3
        echo frozen
        timeout --signal=KILL "$2" cat >/dev/null
        ended=$?
        fsfreeze --unfreeze "$1" || exit 4
        [ "$ended" -eq 0 ] || exit 5
        """;

    private readonly Process _child;
    private readonly string _mountPoint;

    private FileSystemFreeze(Process child, string mountPoint)
    {
        _child = child;
        _mountPoint = mountPoint;
    }

    /// <summary>The child.</summary>
    internal int ChildId => _child.Id;

    /// <summary>Holds a file system still.</summary>
    /// <param name="mountPoint">Where it is mounted.</param>
    /// <param name="limit">The longest time, in whole seconds, after which it is let go whatever happens.</param>
    /// <param name="cancellationToken">Stops it; then it is not held.</param>
    /// <exception cref="BackupException">SnapshotUnavailable: it cannot be held.</exception>
    public static async Task<FileSystemFreeze> BeginAsync(string mountPoint, TimeSpan limit, CancellationToken cancellationToken)
    {
        string seconds = ((int)Math.Ceiling(limit.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        var freeze = new FileSystemFreeze(Process.Start(Start("/bin/sh", "-c", Script, "obengine", mountPoint, seconds))!, mountPoint);
        try
        {
            if (await freeze._child.StandardOutput.ReadLineAsync(cancellationToken).ConfigureAwait(false) == "frozen")
            {
                return freeze;
            }

            string why = (await freeze._child.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false)).Trim();
            throw new BackupException(
                BackupErrorId.SnapshotUnavailable,
                $"The file system at '{mountPoint}' cannot be frozen: {why}",
                "Run as root, and check that the file system can be frozen (fsfreeze).",
                mountPoint);
        }
        catch
        {
            await freeze.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets go of it.</summary>
    /// <returns>Whether it was held until now: what was done meanwhile saw it still.</returns>
    /// <exception cref="BackupException">SnapshotUnavailable: it is frozen still.</exception>
    public async Task<bool> EndAsync()
    {
        bool isHeld = !_child.HasExited;
        _child.StandardInput.Close();
        await _child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        if (_child.ExitCode is 0 or 3 or 5)
        {
            return isHeld && _child.ExitCode == 0;
        }

        // The child was killed, or could not: what it was to do is done here. One that is not frozen any more refuses that.
        using Process thaw = Process.Start(Start("fsfreeze", "--unfreeze", _mountPoint))!;
        thaw.StandardInput.Close();
        string why = await thaw.StandardError.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
        await thaw.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        return thaw.ExitCode == 0 || why.Contains("Invalid argument", StringComparison.Ordinal) ? false : throw new BackupException(
            BackupErrorId.SnapshotUnavailable,
            $"The file system at '{_mountPoint}' was frozen and cannot be let go: {why.Trim()}",
            $"Run 'fsfreeze --unfreeze {_mountPoint}' as root.",
            _mountPoint);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        _child.Dispose();
    }

    private static ProcessStartInfo Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        return start;
    }
}
