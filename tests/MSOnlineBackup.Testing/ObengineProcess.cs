using System.Diagnostics;

namespace MSOnlineBackup.Testing;

/// <summary>The built program as a process of its own, on one vault.</summary>
public sealed class ObengineProcess
{
    public const string Passphrase = "correct horse battery staple";

    private readonly string _vault;
    private readonly string[] _prefix;

    /// <param name="vault">The vault's folder.</param>
    /// <param name="prefix">A program that starts it, with its arguments, for example <c>setpriv</c>.</param>
    public ObengineProcess(string vault, params string[] prefix)
    {
        _vault = vault;
        _prefix = prefix;
    }

    /// <summary>How a run ended, and what it wrote to standard output and standard error.</summary>
    public sealed record Run(int ExitCode, string Output, string Error)
    {
        public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
    }

    /// <summary>Where the build puts it: beside the tests' own folder, in the same configuration.</summary>
    public static string Program
    {
        get
        {
            // …/tests/<project>/bin/<configuration>/<framework>/
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
            string root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
            return Path.Combine(root, "src", "MSOnlineBackup.Host", "bin", output.Parent.Name, output.Name, "obengine.dll");
        }
    }

    /// <summary>Whether the account that the prefix makes may read the program.</summary>
    public bool IsReachable => Shell.Run(_prefix[0], [.. _prefix[1..], "test", "-r", Program]).ExitCode == 0;

    /// <summary>Creates the vault.</summary>
    /// <param name="ownerFile">Where the owner's key goes; beside the vault if it is not given.</param>
    public void CreateVault(string? ownerFile = null)
    {
        Run run = Finish(StartWith("vault", "create", _vault, "--owner-file", ownerFile ?? _vault + ".VaultOwner"));
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException($"The vault was not created: {run}");
        }
    }

    /// <summary>Runs a command on the vault to its end.</summary>
    public Run Execute(string command, params string[] arguments) => Finish(Start(command, arguments));

    /// <summary>Starts a command on the vault; it is to be finished or killed.</summary>
    public Process Start(string command, params string[] arguments) => StartWith([command, "--vault", _vault, .. arguments]);

    /// <summary>Reads what a run writes, until it ends.</summary>
    public static Run Finish(Process process)
    {
        using (process)
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
#pragma warning disable VSTHRD002 // The process has ended.
            return new Run(process.ExitCode, output, errors.GetAwaiter().GetResult());
#pragma warning restore VSTHRD002
        }
    }

    private Process StartWith(params string[] arguments)
    {
        string[] line = [.. _prefix, "dotnet", Program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["OBENGINE_PASSPHRASE"] = Passphrase;
        start.Environment.Remove("OBENGINE_VAULT");
        return Process.Start(start) ?? throw new InvalidOperationException($"'{line[0]}' did not start.");
    }
}
