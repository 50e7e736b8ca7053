using System.Diagnostics;
using System.Globalization;
using System.Text;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Agent.Workloads.MariaDb;

/// <summary>
/// What a recovery does by MariaDB's programs, in its staging folder. Where this process is root they run as the account that the server ran as: what they make belongs to it, and
/// statements of the log are not run by root.
/// </summary>
/// <param name="programs">The programs.</param>
/// <param name="workload">The workload's name.</param>
/// <param name="owner">The account.</param>
/// <param name="staging">The folder, absolute; it is given to the account.</param>
/// <param name="facts">What is known of the server.</param>
/// <param name="clock">The clock.</param>
internal sealed class MariaTools(MariaPrograms programs, string workload, FileOwner owner, string staging, MariaFacts facts, TimeProvider clock)
{
    // Paths of sockets may have 107 bytes: this one is relative to the data directory.
    private const string Socket = "obrecovery.sock";
    private const string Done = "-- obengine: all is replayed --";
    private const string Success = "completed OK!";
    private const int MostSaid = 4_000;

    // The server ends with this process, however that ends: its end of the pipe is closed then.
    private const string Guard =
        """
        exec 3<&0
        "$@" </dev/null 3<&- &
        server=$!
        (read -r over <&3; kill -KILL $server 2>/dev/null) &
        watch=$!
        exec 3<&-
        wait $server
        status=$?
        kill $watch 2>/dev/null
        exit $status
        """;

    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(50);

    /// <summary>Makes a folder in the staging folder, of the account's.</summary>
    /// <returns>Its path.</returns>
    public string MakeFolder(string name)
    {
        string path = Path.Combine(staging, name);
        PrivateFolder.Make(path);
        owner.TakeFolder(staging);
        owner.TakeFolder(path);
        return path;
    }

    /// <summary>Gives a file to the account.</summary>
    public void Give(string path)
    {
        using FileStream file = File.OpenRead(path);
        owner.Take(file.SafeFileHandle);
    }

    /// <summary>Unpacks a full backup.</summary>
    /// <exception cref="BackupException">WorkloadRecoveryFailed, WorkloadProgramUnusable.</exception>
    public async Task UnpackAsync(string stream, string data, CancellationToken stop)
    {
        using Process process = ProgramRun.Begin(Start(programs.Find(MariaPrograms.Unpack), ["-x"], data), workload);
        Task<string> said = process.StandardError.ReadToEndAsync(CancellationToken.None);
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        try
        {
            FileStream file = File.OpenRead(stream);
            await using (file.ConfigureAwait(false))
            {
                await file.CopyToAsync(process.StandardInput.BaseStream, stop).ConfigureAwait(false);
            }

            process.StandardInput.Close();
            await process.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        catch (IOException) when (process.HasExited)
        {
            // It has ended before its input; why, it says.
        }
        finally
        {
            await EndAsync(process).ConfigureAwait(false);
        }

        if (process.ExitCode != 0)
        {
            throw Failed("unpacking the full backup", await output.ConfigureAwait(false) + await said.ConfigureAwait(false));
        }
    }

    /// <summary>Brings the tables of a full backup to the moment at which it ended.</summary>
    /// <exception cref="BackupException">WorkloadRecoveryFailed, WorkloadProgramUnusable.</exception>
    public async Task PrepareAsync(string data, CancellationToken stop)
    {
        string program = await programs.FindAsync(MariaPrograms.Backup, facts.Series, stop).ConfigureAwait(false);
        ProcessStartInfo start = Start(program, ["--no-defaults", "--prepare", "--target-dir=" + data], data);
        (int status, _, string said) = await ProgramRun.ToEndAsync(start, workload, stop).ConfigureAwait(false);
        if (status != 0 || !said.Contains(Success, StringComparison.Ordinal))
        {
            throw Failed("preparing the full backup", said);
        }
    }

    /// <summary>Replays the log on a server of its own, which is stopped in order at the end.</summary>
    /// <exception cref="BackupException">WorkloadRecoveryFailed, WorkloadProgramUnusable.</exception>
    public async Task ReplayAsync(MariaReplay replay, string data, CancellationToken stop)
    {
        string program = await programs.FindAsync(MariaPrograms.Server, facts.Series, stop).ConfigureAwait(false);
        string log = Path.Combine(staging, "server.log");
        string scratch = MakeFolder("scratch");
        string[] arguments =
        [
            "--defaults-file=" + Path.Combine(data, "backup-my.cnf"), "--datadir=" + data, "--socket=" + Socket, "--pid-file=obrecovery.pid", "--log-error=" + log, "--tmpdir=" + scratch,
            "--skip-networking", "--skip-log-bin", "--skip-grant-tables", "--skip-slave-start", "--max-allowed-packet=1G",
            .. facts.Settings.Select(each => $"--loose-{each.Key.Replace('_', '-')}={each.Value}"),
        ];
        ProcessStartInfo start = Start("/bin/sh", ["-c", Guard, "obengine", .. As(), program, .. arguments], data, isShell: true);
        using Process server = ProgramRun.Begin(start, workload);
        Task<string> output = server.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = server.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await WaitAsync(server, data, log, stop).ConfigureAwait(false);
            await FeedAsync(replay, data, scratch, stop).ConfigureAwait(false);
            await server.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(server).ConfigureAwait(false);
            await Task.WhenAll(output, errors).ConfigureAwait(false);
        }

        if (server.ExitCode != 0)
        {
            throw Failed("stopping the server that replayed the log", TailOf(log));
        }
    }

    private async Task WaitAsync(Process server, string data, string log, CancellationToken stop)
    {
        while (true)
        {
            if (server.HasExited)
            {
                throw Failed("starting a server to replay the log", TailOf(log));
            }

            ProcessStartInfo start = Client(data, ["--execute=SELECT 1"]);
            if ((await ProgramRun.ToEndAsync(start, workload, stop).ConfigureAwait(false)).Status == 0)
            {
                return;
            }

            await Task.Delay(_poll, clock, stop).ConfigureAwait(false);
        }
    }

    // Accounts are what the log makes of them: their tables are read once at the beginning, and this session may do everything nevertheless.
    private async Task FeedAsync(MariaReplay replay, string data, string scratch, CancellationToken stop)
    {
        List<string> arguments =
            ["--no-defaults", "--verify-binlog-checksum", "--local-load=" + scratch, string.Create(CultureInfo.InvariantCulture, $"--start-position={replay.Start}")];
        if (replay.Stop is { } end)
        {
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--stop-position={end}"));
        }

        using Process reader = ProgramRun.Begin(Start(programs.Find(MariaPrograms.Log), [.. arguments, .. replay.Files], data), workload);
        reader.StandardInput.Close();
        Task<string> readerSaid = reader.StandardError.ReadToEndAsync(CancellationToken.None);
        using Process client = ProgramRun.Begin(Client(data, ["--binary-mode", "--max-allowed-packet=1G", "--local-infile=1"]), workload);
        Task<string> clientSaid = client.StandardError.ReadToEndAsync(CancellationToken.None);
        Task<string> answers = client.StandardOutput.ReadToEndAsync(CancellationToken.None);
        try
        {
            Stream input = client.StandardInput.BaseStream;
            await input.WriteAsync("FLUSH PRIVILEGES;\n"u8.ToArray(), stop).ConfigureAwait(false);
            await reader.StandardOutput.BaseStream.CopyToAsync(input, stop).ConfigureAwait(false);
            await reader.WaitForExitAsync(stop).ConfigureAwait(false);
            if (reader.ExitCode == 0)
            {
                await input.WriteAsync(Encoding.UTF8.GetBytes($"\nSELECT '{Done}';\nSHUTDOWN;\n"), stop).ConfigureAwait(false);
            }

            client.StandardInput.Close();
            await client.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The client has ended before its input; why, it says.
            await client.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(reader).ConfigureAwait(false);
            await EndAsync(client).ConfigureAwait(false);
        }

        if (client.ExitCode != 0 || !(await answers.ConfigureAwait(false)).Contains(Done, StringComparison.Ordinal))
        {
            throw Failed("replaying the log", await readerSaid.ConfigureAwait(false) + await clientSaid.ConfigureAwait(false));
        }
    }

    private ProcessStartInfo Client(string data, IEnumerable<string> arguments) => Start(
        programs.Find(MariaPrograms.Client),
        [.. new MariaAccess("./" + Socket, "root", null).Arguments, "--batch", "--skip-column-names", .. arguments],
        data);

    private ProcessStartInfo Start(string program, IEnumerable<string> arguments, string folder, bool isShell = false)
    {
        string[] command = isShell ? [program, .. arguments] : [.. As(), program, .. arguments];
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        return start;
    }

    private string[] As() => Environment.IsPrivilegedProcess
        ? ["setpriv", "--reuid", owner.User.ToString(CultureInfo.InvariantCulture), "--regid", owner.Group.ToString(CultureInfo.InvariantCulture), "--clear-groups", "--"]
        : [];

    private static async Task EndAsync(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static string TailOf(string log)
    {
        string text = File.Exists(log) ? File.ReadAllText(log) : "";
        return text.Length <= MostSaid ? text : text[^MostSaid..];
    }

    private BackupException Failed(string what, string said)
    {
        string line = said.Split('\n').LastOrDefault(each => each.Contains("error", StringComparison.OrdinalIgnoreCase)) ?? said.Trim().Split('\n')[^1];
        return new BackupException(
            BackupErrorId.WorkloadRecoveryFailed,
            $"The workload '{workload}' was not recovered, for {what} failed: {(line.Trim().Length == 0 ? "it said nothing." : line.Trim())} The target is as it was.",
            "See that the account that the server ran as may pass the folders above the target, and that its disk has room for the database twice. Another time may be recoverable.",
            workload);
    }
}
