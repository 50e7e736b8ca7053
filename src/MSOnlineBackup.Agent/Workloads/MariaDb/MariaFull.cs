using System.Diagnostics;
using System.Text.RegularExpressions;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>
/// A full backup by mariadb-backup, which copies all tables while they are written to, and holds commits for a moment at the end. It comes as one stream, straight into the
/// recovery point: nothing of it is written to this machine's disks.
/// </summary>
internal sealed partial class MariaFull : IWorkloadFull
{
    /// <summary>The source that is the stream.</summary>
    public const string StreamName = "backup.mbstream";

    private const string Success = "completed OK!";
    private const int MostSaid = 200;

    private readonly MariaSession _session;
    private readonly string _workload;
    private readonly ProcessStartInfo _start;
    private readonly LateStream _stream = new();
    private readonly Queue<string> _said = new();
    private Process? _program;
    private Task _listening = Task.CompletedTask;
    private MariaPlace? _end;

    /// <summary>Makes one. The program is started when its stream is to be read.</summary>
    /// <param name="program">Where mariadb-backup is.</param>
    /// <param name="access">How the server is reached.</param>
    /// <param name="session">A session on it.</param>
    /// <param name="server">What it says of itself.</param>
    /// <param name="workload">The workload's name.</param>
    /// <param name="folder">A folder that the program may take for its own; absolute.</param>
    /// <param name="from">When it begins (UTC).</param>
    public MariaFull(string program, MariaAccess access, MariaSession session, MariaServer server, string workload, string folder, DateTimeOffset from)
    {
        (_session, _workload, From) = (session, workload, from);
        FileOwner owner = FileOwner.Of(server.DataFolder) ?? throw Unreadable(server.DataFolder);
        _start = new ProcessStartInfo(program, [.. access.Arguments, "--backup", "--stream=mbstream", "--datadir=" + server.DataFolder, "--target-dir=" + folder, "--tmpdir=" + folder, "--open-files-limit=65535"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        var facts = new MariaFacts(server.Series, owner.User, owner.Group, server.Settings);
        Sources =
        [
            new BackupSource.Input(MariaFacts.FileName, new MemoryStream(facts.Write(), writable: false)),
            new BackupSource.Input(StreamName, _stream, EndAsync) { Begin = BeginAsync },
        ];
    }

    /// <inheritdoc/>
    public IReadOnlyList<BackupSource> Sources { get; }

    /// <inheritdoc/>
    /// <remarks>What is recovered has everything before its end, and nothing after: it needs no log before that.</remarks>
    public string Start => End;

    /// <inheritdoc/>
    public string End => _end?.ToString() ?? "";

    /// <inheritdoc/>
    public DateTimeOffset From { get; }

    /// <inheritdoc/>
    public DateTimeOffset To { get; private set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_program is { } program)
        {
            if (!program.HasExited)
            {
                program.Kill(entireProcessTree: true);
                await program.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            }

            await _listening.ConfigureAwait(false);
            program.Dispose();
        }

        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The place in the binary log that a line of mariadb-backup's names; null where it names none.</summary>
    internal static MariaPlace? PlaceOf(string line) =>
        Place().Match(line) is { Success: true } match && MariaPlace.TryParse($"{match.Groups[1].Value}:{match.Groups[2].Value}", out MariaPlace? place) ? place : null;

    private Task BeginAsync(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Process program = _program = ProgramRun.Begin(_start, _workload);
        program.StandardInput.Close();
        _stream.Begin(program.StandardOutput.BaseStream);
        _listening = ListenAsync(program.StandardError);
        return Task.CompletedTask;
    }

    private async Task EndAsync(CancellationToken stop)
    {
        Process program = _program ?? throw new InvalidOperationException("It has not begun.");
        await program.WaitForExitAsync(stop).ConfigureAwait(false);
        await _listening.ConfigureAwait(false);
        if (program.ExitCode != 0 || !_said.Any(line => line.EndsWith(Success, StringComparison.Ordinal)) || _end is null)
        {
            throw MariaErrors.OfBackup(_workload, [.. _said]);
        }

        // The log tells times in seconds: only from the next one on are all that it has of this one behind.
        DateTimeOffset now = await _session.AskTimeAsync(stop).ConfigureAwait(false);
        To = MariaTime.SecondAfter(now);
    }

    private async Task ListenAsync(TextReader errors)
    {
        while (await errors.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            _end = PlaceOf(line) ?? _end;
            _said.Enqueue(line);
            if (_said.Count > MostSaid)
            {
                _said.Dequeue();
            }
        }
    }

    private BackupException Unreadable(string path) => new(
        BackupErrorId.WorkloadFileUnreadable,
        $"The data directory '{path}' of the workload '{_workload}' cannot be found on this machine.",
        "Back up the server on the machine, and in the container, that it runs on.",
        path);

    // MySQL binlog position: filename 'binlog.000002', position '605', GTID of the last change '0-1-6'
    [GeneratedRegex(@"binlog position: filename '([^'/]{1,200})', position '(\d{1,19})'", RegexOptions.CultureInvariant)]
    private static partial Regex Place();
}

/// <summary>Times as the binary log has them: whole seconds.</summary>
internal static class MariaTime
{
    /// <summary>The first whole second after a time.</summary>
    public static DateTimeOffset SecondAfter(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds() + 1);
}
