using System.Diagnostics;
using System.Globalization;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// A child that runs the post-script where this process ends before it could: its input ends then, however that came. What this process had begun by then ends
/// first. Not on Windows, where no such child is kept.
/// </summary>
internal sealed class ScriptKeeper : IDisposable
{
    /// <summary>
    /// What the child does. $1: for how many seconds it waits for a script at work; $2: how often the script is run again when it fails; then the script and
    /// its arguments.
    /// </summary>
    internal const string Script = """
        trap '' HUP INT TERM
        limit=$1 retries=$2 running=
        shift 2
        while read -r word; do
            [ "$word" = over ] && exit 0
            running=$word
        done
        while [ "${running:-0}" -gt 0 ] && kill -0 "$running" 2>/dev/null && [ "$limit" -gt 0 ]; do
            sleep 1
            limit=$((limit - 1))
        done
        until "$@" </dev/null >/dev/null 2>&1; do
            [ "$retries" -gt 0 ] || exit 1
            retries=$((retries - 1))
        done
        """;

    private readonly Process? _child;

    private ScriptKeeper(Process? child) => _child = child;

    /// <summary>Has the post-script run from now on where this process ends.</summary>
    public static ScriptKeeper Begin(ScriptSettings settings)
    {
        if (OperatingSystem.IsWindows())
        {
            return new ScriptKeeper(null);
        }

        string limit = settings.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        string retries = settings.After.Retries.ToString(CultureInfo.InvariantCulture);
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "obengine", limit, retries, settings.After.Location, .. settings.After.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        return new ScriptKeeper(Process.Start(start));
    }

    /// <summary>Which process is to end before the post-script is run; 0 for none.</summary>
    public void Tell(int process) => Write(process.ToString(CultureInfo.InvariantCulture));

    /// <summary>The post-script was run.</summary>
    public async Task EndAsync()
    {
        Write("over");
        if (_child is not null)
        {
            await _child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _child?.Dispose();

    private void Write(string word)
    {
        try
        {
            _child?.StandardInput.Write(word + "\n");
            _child?.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It was killed by somebody: then nothing is left to tell it. This process runs the post-script itself.
        }
    }
}
