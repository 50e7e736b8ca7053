using System.Diagnostics;
using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>One session on a server, held open by one client.</summary>
internal sealed class MariaSession : IAsyncDisposable
{
    private const string RowsEnd = "-- obengine: that is all --";
    private const int MostSaid = 4_000;

    private readonly string _workload;
    private readonly Process _client;
    private readonly StringBuilder _said = new();
    private readonly Task _listening;
    private bool _hasAnswered;

    private MariaSession(string workload, Process client)
    {
        _workload = workload;
        _client = client;
        _listening = ListenAsync();
    }

    /// <summary>How a client is run that takes statements from its input.</summary>
    public static ProcessStartInfo Start(MariaPrograms programs, MariaAccess access, string folder)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new ProcessStartInfo(
            programs.Find(MariaPrograms.Client),
            [.. access.Arguments, "--batch", "--skip-column-names", "--unbuffered", "--skip-reconnect", "--default-character-set=utf8mb4", "--connect-timeout=30"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = utf8,
            StandardOutputEncoding = utf8,
            StandardErrorEncoding = utf8,
            WorkingDirectory = folder,
        };
    }

    /// <summary>Opens a session.</summary>
    /// <exception cref="BackupException">WorkloadUnreachable, WorkloadAccessDenied, WorkloadProgramUnusable.</exception>
    public static async Task<MariaSession> OpenAsync(MariaPrograms programs, MariaAccess access, string workload, CancellationToken stop)
    {
        var session = new MariaSession(workload, ProgramRun.Begin(Start(programs, access, "/"), workload));
        try
        {
            // A backup takes as long as it takes, and meanwhile nothing is asked.
            await session.AskAsync("SET SESSION wait_timeout = 2147483, max_statement_time = 0, sql_mode = '', time_zone = '+00:00'", stop).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks, and returns the rows of the answer, field by field.</summary>
    /// <param name="question">One or more statements of SQL, without a semicolon at the end.</param>
    /// <param name="stop">Stops it: the session is of no use then.</param>
    /// <exception cref="BackupException">WorkloadAccessDenied, WorkloadCommandFailed, WorkloadUnreachable.</exception>
    public async Task<IReadOnlyList<string[]>> AskAsync(string question, CancellationToken stop)
    {
        try
        {
            await _client.StandardInput.WriteAsync($"{question};\nSELECT '{RowsEnd}';\n".AsMemory(), stop).ConfigureAwait(false);
            await _client.StandardInput.FlushAsync(stop).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended; why, it says.
        }

        var rows = new List<string[]>();
        while (await _client.StandardOutput.ReadLineAsync(stop).ConfigureAwait(false) is { } line)
        {
            if (line == RowsEnd)
            {
                _hasAnswered = true;
                return rows;
            }

            rows.Add([.. line.Split('\t').Select(Unescape)]);
        }

        await _listening.ConfigureAwait(false);
        throw MariaErrors.OfClient(_workload, _said.ToString(), _hasAnswered);
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

    /// <summary>What the server's clock says (UTC, microseconds).</summary>
    public async Task<DateTimeOffset> AskTimeAsync(CancellationToken stop) =>
        TryParseTime((await AskOneAsync("SELECT UTC_TIMESTAMP(6)", 1, stop).ConfigureAwait(false))[0], out DateTimeOffset time) ? time : throw Unexpected();

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
            _client.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended.
        }

        // At the end of its input it ends by itself, unless it waits for an answer.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _client.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _client.Kill(entireProcessTree: true);
            await _client.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _listening.ConfigureAwait(false);
        _client.Dispose();
    }

    /// <summary>Reads a time as the server writes it: "2026-11-30 19:42:35.566407".</summary>
    internal static bool TryParseTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, "yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    /// <summary>The text of a field, in which the client writes what would end it otherwise: \t, \n, \0 and \\.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            text.Append(field[i] != '\\' || i + 1 == field.Length ? field[i] : field[++i] switch { 't' => '\t', 'n' => '\n', '0' => '\0', var other => other });
        }

        return text.ToString();
    }

    private async Task ListenAsync()
    {
        while (await _client.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (_said.Length < MostSaid)
            {
                _said.Append(line).Append('\n');
            }
        }
    }
}
