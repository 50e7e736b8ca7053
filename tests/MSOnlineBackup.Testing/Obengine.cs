using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace MSOnlineBackup.Testing;

/// <summary>The built program as a process of its own, with a vault, a source and a passphrase file in a folder of the test's.</summary>
public sealed class Obengine : IDisposable
{
    public const string Passphrase = "correct horse battery staple";

    private readonly string[] _prefix;

    /// <param name="prefix">A program that starts it, with its arguments, for example <c>setpriv</c>.</param>
    public Obengine(params string[] prefix)
    {
        _prefix = prefix;
        File.WriteAllText(PassphraseFile, Passphrase + "\n");
        Directory.CreateDirectory(Source);
        Variables["XDG_CONFIG_HOME"] = Folder["config"];

        // No test tells the log of the machine that it runs on.
        Variables["MSONLINEBACKUP_SYSTEM_LOG"] = "None";
        Vault = Folder["vault"];
    }

    /// <summary>Where the build puts it: beside the tests' own folder, in the same configuration.</summary>
    public static string BuiltProgram
    {
        get
        {
            // …/tests/<project>/bin/<configuration>/<framework>/
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
            return Path.Combine(Repository.Root, "src", "MSOnlineBackup.Host", "bin", output.Parent!.Name, output.Name, "obengine.dll");
        }
    }

    public TempFolder Folder { get; } = new();

    /// <summary>The vault's folder: one in the test's folder unless another is given.</summary>
    public string Vault { get; set; }

    public string Source => Folder["source"];

    public string PassphraseFile => Folder["passphrase"];

    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>What is run: what was built unless another is given.</summary>
    public string Program { get; set; } = BuiltProgram;

    /// <summary>Whether the account that the prefix makes may read the program.</summary>
    public bool IsReachable => Shell.Run(_prefix[0], [.. _prefix[1..], "test", "-r", Program]).ExitCode == 0;

    public void Dispose() => Folder.Dispose();

    /// <summary>Runs a command to its end.</summary>
    public async Task<Run> RunAsync(IEnumerable<string> arguments, string? input = null)
    {
        using Process process = Start(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        return await FinishAsync(process);
    }

    /// <summary>Runs a command on the vault to its end.</summary>
    public Task<Run> OnVaultAsync(params string[] arguments) => RunAsync(WithVault(arguments));

    /// <summary>Runs a command on the vault that must succeed, and gives its JSON lines.</summary>
    public async Task<IReadOnlyList<JsonElement>> JsonAsync(params string[] arguments)
    {
        Run run = await OnVaultAsync([arguments[0], "--json", .. arguments[1..]]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {run}");
        Assert.Empty(run.Error);
        return run.Lines();
    }

    /// <summary>
    /// Creates a vault without an owner, whose key is derived at once: each command that opens it saves the second that the program's own vaults cost.
    /// </summary>
    public Task CreateVaultAsync() => FolderVault.CreateAsync(Vault);

    /// <summary>Has the program create the vault.</summary>
    /// <param name="ownerFile">Where the owner's key goes.</param>
    public async Task CreateVaultAsync(string ownerFile)
    {
        Run run = await RunAsync(["vault", "create", Vault, "--passphrase-file", PassphraseFile, "--owner-file", ownerFile]);
        Assert.True(run.ExitCode == 0, run.ToString());
    }

    /// <summary>Starts a command; it is to be finished or killed.</summary>
    public Process Start(IEnumerable<string> arguments)
    {
        string[] line = [.. _prefix, "dotnet", Program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder.Path,
        };
        foreach (string name in new[] { "OBENGINE_VAULT", "OBENGINE_PASSPHRASE", "OBENGINE_NEW_PASSPHRASE" })
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in Variables)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"'{line[0]}' did not start.");
    }

    /// <summary>Starts a command on the vault; it is to be finished or killed.</summary>
    public Process StartOnVault(params string[] arguments) => Start(WithVault(arguments));

    /// <summary>
    /// Starts a backup and holds it (SIGSTOP) in its midst: data have arrived, and its point has not. It is to go on (SIGCONT), and to be finished.
    /// </summary>
    /// <param name="arguments">The command.</param>
    /// <param name="vault">The vault's folder.</param>
    /// <param name="addMore">Adds to the source: called where a backup was over before it could be held.</param>
    public async Task<Process> HoldBackupAsync(string[] arguments, string vault, Func<Task> addMore)
    {
        int points = CountOf(vault, "points");
        while (true)
        {
            int packs = CountOf(vault, "packs");
            Process process = Start(arguments);
            while (!process.HasExited && CountOf(vault, "packs") == packs)
            {
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }

            await Shell.HoldAsync(process.Id);
            if (!process.HasExited && CountOf(vault, "points") == points)
            {
                return process;
            }

            Shell.Run("kill", "-CONT", $"{process.Id}");
            await FinishAsync(process);
            process.Dispose();
            await addMore();
        }
    }

    /// <summary>How many objects of a kind, as its folder is called, the stores of a vault have.</summary>
    public static int CountOf(string vault, string kind) => Directory.Exists(vault + "/stores")
        ? Directory.EnumerateFiles(vault + "/stores", "*", SearchOption.AllDirectories).Count(file => file.Contains($"/{kind}/", StringComparison.Ordinal))
        : 0;

    /// <summary>Reads what a command still writes, until it ends.</summary>
    public static async Task<Run> FinishAsync(Process process)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        Task<string> error = process.StandardError.ReadToEndAsync(stop);
        string output = await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new Run(process.ExitCode, output, await error);
    }

    private string[] WithVault(string[] arguments) => [arguments[0], "--vault", Vault, "--passphrase-file", PassphraseFile, .. arguments[1..]];
}

/// <summary>How a command ended, and what it wrote to standard output and standard error.</summary>
public sealed record Run(int ExitCode, string Output, string Error)
{
    /// <summary>The exit code of a process that SIGKILL ended.</summary>
    public const int Killed = 128 + 9;

    /// <summary>Its JSON lines.</summary>
    public IReadOnlyList<JsonElement> Lines() =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];

    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
