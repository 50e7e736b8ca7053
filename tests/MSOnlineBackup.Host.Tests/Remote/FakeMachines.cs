using MSOnlineBackup.Agent;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Composition.Ssh;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Host.Tests.Remote;

/// <summary>
/// Machines that are folders: a script stands for ssh, and runs each command here, with a home of the machine's. So what runs there is what would run on a real one; its programs can
/// be replaced one by one.
/// </summary>
internal sealed class FakeMachines : IDisposable
{
    public const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU";
    public const string OtherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3Nb3CTTpgD6jE05aN04Zzep+8gWRQ8ue/2xa9zwhhS";

    // As OpenSSH 9.2 says it where a key was changed.
    private const string Ssh =
        """
        #!/bin/sh
        while [ "$1" != -- ]; do
          case $1 in
            UserKnownHostsFile=*) known=${1#*=\"}; known=${known%\"} ;;
            HostKeyAlias=*) alias=${1#*=} ;;
            PreferredAuthentications=none) asked=1 ;;
          esac
          shift
        done
        m=ROOT/$2
        if [ ! -d "$m" ] || [ -e "$m/down" ]; then echo "ssh: connect to host $2 port 22: No route to host" >&2; exit 255; fi
        if [ -n "$asked" ]; then echo "$alias $(cat "$m/key")" > "$known"; echo "$2: Permission denied (publickey)." >&2; exit 255; fi
        if ! grep -qF "$alias $(cat "$m/key")" "$known"; then
          echo "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @
        The fingerprint for the ED25519 key sent by the remote host is
        $(cut -d' ' -f2 "$m/key" | base64 -d | openssl dgst -sha256 -binary | base64 | sed 's/^/SHA256:/;s/=$/./')
        Offending ED25519 key in $known:1
        Host key verification failed." >&2
          exit 255
        fi
        if [ -e "$m/locked" ]; then echo "root@$2: Permission denied (publickey)." >&2; exit 255; fi
        [ ! -e "$m/greeting" ] || cat "$m/greeting"
        echo x >> "$m/calls"
        [ ! -e "$m/forced" ] || exec sh "$m/forced"
        echo $$ > "$m/session"
        cd "$m/home" && HOME=$m/home
        if [ -e "$m/alone" ]; then PATH=$m/path; else PATH=$m/path:$PATH; fi
        export HOME PATH
        exec sh -c "$3"

        """;

    private readonly TempFolder _folder = new();

    public FakeMachines()
    {
        Directory.CreateDirectory(_folder["machines"]);
        WriteProgram(_folder["ssh"], Ssh.Replace("ROOT", _folder["machines"], StringComparison.Ordinal));
        Own = MakePackage("1.0.0");
    }

    /// <summary>The package that is this installation.</summary>
    public string Own { get; set; }

    public string State => _folder["state"];

    /// <summary>What a process of this machine has; each call stands for a new one.</summary>
    public RemoteAgents Open() => OpenAgent().Remotes;

    /// <summary>The whole of it.</summary>
    public BackupAgent OpenAgent() => BackupAgent.Open(new AgentOptions
    {
        StateFolder = State,
        OpenVault = (_, _) => throw new InvalidOperationException(),
        CreateVault = (_, _) => throw new InvalidOperationException(),
        Limits = PolicyLimits.Open,
        RemoteShell = new SshShell(_folder["ssh"]),
        Installation = () => new RemoteInstallation(Own, null, Platform) { IsPublished = true },
    });

    /// <summary>The script that stands for ssh.</summary>
    public string SshProgram => _folder["ssh"];

    /// <summary>A package whose program is the one that was built, run by this machine's .NET.</summary>
    public string MakeRealPackage() => MakePackage("1.0.0", program: $"#!/bin/sh\n[ \"$1\" != --version ] || exec echo 1.0.0\nexec dotnet '{Obengine.BuiltProgram}' \"$@\"\n");

    public static string Platform => $"linux-{System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>Adds a machine.</summary>
    public string Add(string name)
    {
        Directory.CreateDirectory(Of(name, "home"));
        Directory.CreateDirectory(Of(name, "path"));
        File.WriteAllText(Of(name, "key"), Key + "\n");
        return name;
    }

    /// <summary>A file of a machine's.</summary>
    public string Of(string machine, string name) => Path.Combine(_folder["machines"], machine, name);

    /// <summary>Puts a script in the place of a program of a machine's; <c>real</c> in it is that program.</summary>
    public void Replace(string machine, string program, string script) => WriteProgram(
        Of(machine, $"path/{program}"), $"#!/bin/sh\nreal() {{ PATH=${{PATH#*:}} command {program} \"$@\"; }}\n{script}\n");

    /// <summary>Gives a machine all of its own programs back.</summary>
    public void Restore(string machine)
    {
        Directory.Delete(Of(machine, "path"), recursive: true);
        Directory.CreateDirectory(Of(machine, "path"));
    }

    /// <summary>What the agent of a machine says of itself, by the link that its owner uses.</summary>
    public string Answer(string machine) => Shell.Run(Of(machine, "home/.local/bin/obengine"), "--version").Output.Trim();

    /// <summary>The versions that a machine has.</summary>
    public string[] Versions(string machine) =>
        [.. Directory.EnumerateDirectories(Of(machine, "home/.local/share/obengine/versions")).Select(path => Path.GetFileName(path).Split('-')[0]).Order(StringComparer.Ordinal)];

    /// <summary>How often somebody has logged in to a machine.</summary>
    public int Calls(string machine) => File.Exists(Of(machine, "calls")) ? File.ReadAllLines(Of(machine, "calls")).Length : 0;

    /// <summary>A package as <c>dotnet publish</c> makes it, with a script as its program.</summary>
    public string MakePackage(string version, string? platform = null, string? program = null)
    {
        string folder = _folder[$"package-{version}-{Directory.EnumerateDirectories(_folder.Path).Count()}"];
        Directory.CreateDirectory(folder);
        WriteProgram(Path.Combine(folder, "obengine"), program ?? $"#!/bin/sh\necho {version}\n");
        File.WriteAllText(
            Path.Combine(folder, "obengine.deps.json"),
            $$"""{ "runtimeTarget": { "name": ".NETCoreApp,Version=v10.0/{{platform ?? Platform}}" }, "targets": { "x": { "obengine/{{version}}": { "runtime": { "more/data": {} } } } }, "libraries": { "Azure.Core/1.0.0": {}, "obengine/{{version}}": {} } }""");
        Directory.CreateDirectory(Path.Combine(folder, "more"));
        File.WriteAllText(Path.Combine(folder, "more", "data"), version);
        return folder;
    }

    /// <summary>Pins the keys of machines, and puts the agent there.</summary>
    public async Task<IReadOnlyList<RemoteResult>> InstallAsync(RemoteInstallOptions? options, params string[] machines)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        RemoteAgents agents = Open();
        RemoteMachine[] all = [.. machines.Select(Machine)];
        foreach (HostKeyCheck check in await agents.CheckHostKeysAsync(all, [], stop))
        {
            if (check.Failure is null && HostKeyRules.Decide(check, [], acceptNew: true) is { } key)
            {
                agents.Pin(check.Machine, key);
            }
        }

        return await agents.InstallAsync(all, options ?? new RemoteInstallOptions(), stop);
    }

    public static RemoteMachine Machine(string name) => new() { HostName = name };

    public void Dispose() => _folder.Dispose();

    private static void WriteProgram(string path, string script)
    {
        File.WriteAllText(path, script);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("755", 8));
        }
    }
}
