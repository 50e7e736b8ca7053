using System.Diagnostics;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.PostgreSql;

/// <summary>
/// One session on the server, held open by one psql: what a full backup begins and ends with must be said in the same session. Where this process ends, the session does, and
/// the server takes back what it was told.
/// </summary>
internal sealed class PgSession : IAsyncDisposable
{
    /// <summary>What fields are told apart by.</summary>
    internal const char FieldEnd = '\u001f';

    private const string RowsEnd = "-- obengine: that is all --";
    private const int MostSaid = 4_000;

    private readonly string _workload;
    private readonly Process _psql;
    private readonly StringBuilder _said = new();
    private readonly Task _listening;
    private bool _hasAnswered;

    private PgSession(string workload, Process psql)
    {
        _workload = workload;
        _psql = psql;
        _listening = ListenAsync();
    }

    /// <summary>Opens a session.</summary>
    /// <exception cref="BackupException">WorkloadUnreachable, WorkloadAccessDenied, WorkloadProgramUnusable.</exception>
    public static async Task<PgSession> OpenAsync(PgPrograms programs, string workload, CancellationToken stop)
    {
        string psql = await programs.FindAsync("psql", atLeast: 0, stop).ConfigureAwait(false);
        ProcessStartInfo start = programs.Start(
            psql,
            [
                "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator", FieldEnd.ToString(),
                "--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=verbose", "--dbname", "postgres",
            ]);
        start.StandardInputEncoding = start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var session = new PgSession(workload, ProgramRun.Begin(start, workload));
        try
        {
            // A backup takes as long as it takes.
            await session.AskAsync(
                "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_session_timeout = 0; SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET client_min_messages = 'error'", stop).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks, and returns the rows of the answer, field by field. No field may hold a line break.</summary>
    /// <param name="question">One or more statements of SQL, without a semicolon at the end.</param>
    /// <param name="stop">Stops it: the session is of no use then.</param>
    /// <exception cref="BackupException">WorkloadAccessDenied, WorkloadCommandFailed, WorkloadUnreachable.</exception>
    public async Task<IReadOnlyList<string[]>> AskAsync(string question, CancellationToken stop)
    {
        try
        {
            // An answer is written when it is whole; its end comes as one of its own.
            await _psql.StandardInput.WriteAsync($"{question};\nSELECT '{RowsEnd}';\n".AsMemory(), stop).ConfigureAwait(false);
            await _psql.StandardInput.FlushAsync(stop).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended; why, it says.
        }

        var rows = new List<string[]>();
        while (await _psql.StandardOutput.ReadLineAsync(stop).ConfigureAwait(false) is { } line)
        {
            if (line == RowsEnd)
            {
                _hasAnswered = true;
                return rows;
            }

            rows.Add(line.Split(FieldEnd));
        }

        await _listening.ConfigureAwait(false);
        throw PgErrors.Of(_workload, "psql", _said.ToString(), _hasAnswered);
    }

    /// <summary>Asks for one row.</summary>
    /// <param name="question">A statement of SQL.</param>
    /// <param name="fields">How many fields it has.</param>
    /// <param name="stop">Stops it.</param>
    /// <exception cref="BackupException">WorkloadCommandFailed where the answer is not that, and as of <see cref="AskAsync"/>.</exception>
    public async Task<string[]> AskOneAsync(string question, int fields, CancellationToken stop)
    {
        IReadOnlyList<string[]> rows = await AskAsync(question, stop).ConfigureAwait(false);
        return rows is [var row] && row.Length == fields ? row : throw Unexpected();
    }

    /// <summary>An answer that is not what was asked for.</summary>
    public BackupException Unexpected() => new(
        BackupErrorId.WorkloadCommandFailed,
        $"The server of the workload '{_workload}' gave an answer that this version does not understand.",
        "See whether a newer version of MSOnlineBackup knows this version of the server.",
        _workload);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _psql.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended.
        }

        // At the end of its input psql ends by itself, unless it waits for an answer.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _psql.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _psql.Kill(entireProcessTree: true);
            await _psql.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _listening.ConfigureAwait(false);
        _psql.Dispose();
    }

    private async Task ListenAsync()
    {
        while (await _psql.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (_said.Length < MostSaid)
            {
                _said.Append(line).Append('\n');
            }
        }
    }
}
