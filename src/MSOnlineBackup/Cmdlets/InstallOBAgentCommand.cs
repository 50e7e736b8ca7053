using System.Management.Automation;
using System.Management.Automation.Host;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Puts the agent on other machines, over ssh.</summary>
[Cmdlet(VerbsLifecycle.Install, "OBAgent", SupportsShouldProcess = true)]
[OutputType(typeof(OBAgent))]
public sealed class InstallOBAgentCommand : RemoteAgentCmdlet
{
    private readonly List<RemoteMachine> _machines = [];

    /// <summary>The machines: names or addresses, or names that only ssh's configuration knows.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] HostName { get; set; } = [];

    /// <summary>The account there; without it what ssh takes.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? UserName { get; set; }

    /// <summary>The port; without it what ssh takes.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, 65_535)]
    public int? Port { get; set; }

    /// <summary>The file of the private key that logs in; without it those that ssh finds.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? KeyFilePath { get; set; }

    /// <summary>The folder of a package, from 'dotnet publish'; without it this installation and the .NET that it runs on.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? PackagePath { get; set; }

    /// <summary>Takes a version that is older than what is there, too.</summary>
    [Parameter]
    public SwitchParameter AllowDowngrade { get; set; }

    /// <summary>Fingerprints of host keys that somebody has compared: SHA256:…</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] HostKeyFingerprint { get; set; } = [];

    /// <summary>Takes the key of a host that is not known yet as it is shown, without asking.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        string? key = KeyFilePath is null ? null : FullPath(KeyFilePath);
        foreach (string host in HostName)
        {
            RemoteMachine machine = Agent.Remotes.Complete(new RemoteMachine { HostName = host, UserName = UserName, Port = Port, KeyFilePath = key });
            if (_machines.All(other => other.Alias != machine.Alias) && ShouldProcess(host, "Put the agent there"))
            {
                _machines.Add(machine);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Finish()
    {
        string? package = PackagePath is null ? null : FullPath(PackagePath);
        IReadOnlyList<HostKeyCheck> checks = Run((_, stop) => Agent.Remotes.CheckHostKeysAsync(_machines, HostKeyFingerprint, stop));
        RemoteMachine[] trusted = [.. checks.Where(IsTrusted).Select(check => check.Machine)];
        Write(Run((_, stop) => Agent.Remotes.InstallAsync(trusted, new RemoteInstallOptions { PackagePath = package, AllowDowngrade = AllowDowngrade }, stop)));
    }

    private bool IsTrusted(HostKeyCheck check)
    {
        try
        {
            HostKey? decided = HostKeyRules.Decide(check, HostKeyFingerprint, Force);
            if (decided is null && check.Shown is { } shown)
            {
                decided = Asks(check, shown) ? shown : throw HostKeyRules.Unanswered(check);
            }

            if (decided is not null)
            {
                Agent.Remotes.Pin(check.Machine, decided);
            }

            return true;
        }
        catch (BackupException e)
        {
            WriteError(e);
            return false;
        }
    }

    private bool Asks(HostKeyCheck check, HostKey shown)
    {
        try
        {
            return ShouldContinue(
                $"The host key of '{check.Machine.HostName}' is not known yet. It shows {shown}. Is that its key? From then on no other is accepted.", "Host key");
        }
        catch (Exception e) when (e is HostException or PSInvalidOperationException or NullReferenceException { TargetSite.Name: nameof(PSHostUserInterface.PromptForChoice) })
        {
            // Nobody is there who could be asked, or standard input is at its end.
            return false;
        }
    }
}
