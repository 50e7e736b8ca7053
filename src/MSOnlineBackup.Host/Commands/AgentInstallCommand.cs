using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>agent install</c>.</summary>
internal sealed class AgentInstallCommand : AgentHostCommand
{
    public const string HelpExample = "obengine agent install web1 web2 --user backup --key ~/.ssh/id_ed25519";

    private readonly Argument<string[]> _hosts;
    private readonly Option<string?> _user;
    private readonly Option<string?> _port;
    private readonly Option<string?> _key;
    private readonly Option<string?> _package;
    private readonly Option<bool> _allowDowngrade;
    private readonly Option<string[]> _hostKeys;
    private readonly Option<bool> _acceptNew;

    public AgentInstallCommand()
        : base("install", "Put this obengine, and the .NET that it runs on, on other machines, over ssh. No daemon, no key and no open port is left there.", HelpExample)
    {
        _hosts = Many("HOST", "The machines: names or addresses, or names that only ssh's configuration knows.", ArgumentArity.OneOrMore);
        _user = Value("--user", "NAME", "The account there. Default: what ssh takes.");
        _port = Value("--port", "PORT", "The port. Default: what ssh takes.");
        _key = Value("--key", "FILE", "The private key that logs in. Default: those that ssh finds.");
        _package = Value("--package", "DIR", "The folder that 'dotnet publish' has made for the machines' platform. Default: this installation, for machines of this one's platform.");
        _allowDowngrade = Flag("--allow-downgrade", "Put a version there that is older than what is there, too.");
        _hostKeys = Values("--host-key", "SHA256:…", "The fingerprint of a host's key, compared by hand.");
        _acceptNew = Flag("--accept-new", "Take the key of a host that is not known yet as it is shown.");
        Own = new AgentSelection(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RemoteAgents remotes = Own.Open(context).Remotes;
        int? port = context.Get(_port) is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 65_535 ? number
            : throw context.Invalid($"'{text}' is no port.", "Give a number from 1 to 65535.", text);
        string? key = context.Get(_key) is { } file ? Path.GetFullPath(file) : null;
        RemoteMachine[] machines =
        [
            .. context.Get(_hosts).Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(host => remotes.Complete(new RemoteMachine { HostName = host, UserName = context.Get(_user), Port = port, KeyFilePath = key })),
        ];
        var trusted = new List<RemoteMachine>();
        var refused = new List<RemoteResult>();
        foreach (HostKeyCheck check in await remotes.CheckHostKeysAsync(machines, context.Get(_hostKeys), context.Stop).ConfigureAwait(false))
        {
            if (Refusal(context, remotes, check) is { } refusal)
            {
                refused.Add(new RemoteResult(check.Machine.HostName, null, refusal));
            }
            else
            {
                trusted.Add(check.Machine);
            }
        }

        var options = new RemoteInstallOptions { PackagePath = context.Get(_package) is { } package ? Path.GetFullPath(package) : null, AllowDowngrade = context.Has(_allowDowngrade) };
        return Tell(context, "agent install", [.. refused, .. await remotes.InstallAsync(trusted, options, context.Stop).ConfigureAwait(false)]);
    }

    private BackupException? Refusal(CommandContext context, RemoteAgents remotes, HostKeyCheck check)
    {
        try
        {
            if (HostKeyRules.Decide(check, context.Get(_hostKeys), context.Has(_acceptNew)) is { } key)
            {
                remotes.Pin(check.Machine, key);
                context.Renderer.Note($"The host key of '{check.Machine.HostName}' is pinned: {key}.");
            }
            else if (check.Shown is not null)
            {
                return HostKeyRules.Unanswered(check);
            }

            return null;
        }
        catch (BackupException e)
        {
            return e;
        }
    }
}
