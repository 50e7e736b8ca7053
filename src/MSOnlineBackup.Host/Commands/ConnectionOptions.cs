using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary>How a vault beyond this machine is reached: options of every command that works on one.</summary>
internal sealed class ConnectionOptions
{
    private readonly Option<string?> _proxy = new("--proxy")
    {
        HelpName = "HOST:PORT",
        Description = "The proxy for a vault in Azure. Default: HTTPS_PROXY, or the system's proxy.",
    };

    private readonly Option<bool> _noProxy = new("--no-proxy")
    {
        Arity = ArgumentArity.Zero,
        Description = "Use no proxy, whatever the environment says.",
    };

    private readonly Option<string?> _limit = new("--limit")
    {
        HelpName = "RATE",
        Description = "The bandwidth for a vault in Azure, sending and receiving together, in bits per second; K, M and G are powers of 1,000: 20M.",
    };

    public ConnectionOptions(Command command)
    {
        command.Add(_proxy);
        command.Add(_noProxy);
        command.Add(_limit);
    }

    /// <summary>What was chosen.</summary>
    /// <exception cref="BackupException">ArgumentInvalid, PolicyLimitExceeded.</exception>
    public VaultConnection Read(CommandContext context)
    {
        string? proxy = context.Get(_proxy);
        bool isDirect = context.Has(_noProxy);
        if (proxy is not null && isDirect)
        {
            throw context.Invalid("--proxy and --no-proxy contradict each other.", "Leave out one of them.");
        }

        return new VaultConnection
        {
            Proxy = proxy is null ? null : ReadProxy(context, proxy),
            IsDirect = isDirect,
            Bandwidth = context.Get(_limit) is { } limit ? Limited(ReadRate(context, limit), context.Environment.Time) : null,
            Patience = context.Parsed.CommandResult.Command is HostCommand { IsJob: true } ? VaultPatience.Job : VaultPatience.Person,
            TimeProvider = context.Environment.Time,
        };
    }

    private static Bandwidth Limited(long bits, TimeProvider time) => new(() => bits, time);

    // A password has no place here: every user of a machine can read its command lines.
    private static ProxySetting ReadProxy(CommandContext context, string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out Uri? url)
            && url.Scheme == Uri.UriSchemeHttp && url.UserInfo.Length == 0 && url.PathAndQuery == "/" && url.Host.Length > 0
            ? new ProxySetting(url.IdnHost, url.Port)
            : throw context.Invalid(
                "The value of --proxy is not a proxy: it must be a host name or address, and a port.",
                "Write it as HOST:PORT. One that asks for a name and a password is named in HTTPS_PROXY, as http://NAME:PASSWORD@HOST:PORT.");

    private static long ReadRate(CommandContext context, string text)
    {
        (string number, int factor) = text is [.. string digits, char unit] && Factor(unit) is > 1 and int scale ? (digits, scale) : (text, 1);
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) || value * factor > long.MaxValue / 2)
        {
            throw context.Invalid($"'{text}' is not a bandwidth.", "Write bits per second, for example 20M or 512K.", text);
        }

        long bits = (long)(value * factor);
        PolicyLimits.Open.CheckThrottle(bits);
        return bits;
    }

    private static int Factor(char unit) => char.ToUpperInvariant(unit) switch
    {
        'K' => 1_000,
        'M' => 1_000_000,
        'G' => 1_000_000_000,
        _ => 1,
    };
}
