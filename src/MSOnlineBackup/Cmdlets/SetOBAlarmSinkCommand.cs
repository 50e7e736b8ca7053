using System.Management.Automation;
using System.Security;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says where alarms go: adds a place, or changes the one of its name, or takes all from a file.</summary>
[Cmdlet(VerbsCommon.Set, "OBAlarmSink", SupportsShouldProcess = true, DefaultParameterSetName = Times)]
[OutputType(typeof(OBAlarmSink))]
public sealed class SetOBAlarmSinkCommand : OBCmdlet
{
    private const string Times = "Times";
    private const string Mail = "Mail";
    private const string Webhook = "Webhook";
    private const string Healthchecks = "Healthchecks";
    private const string Program = "Command";
    private const string Log = "SystemLog";
    private const string All = "File";

    /// <summary>What it is called, each by another name.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Mail)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Webhook)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Healthchecks)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Program)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = Log)]
    [ValidateNotNullOrEmpty]
    public string Name { get; set; } = "";

    /// <summary>The mail server.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Mail)]
    [ValidateNotNullOrEmpty]
    public string MailServer { get; set; } = "";

    /// <summary>The mail's sender.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Mail)]
    [ValidateNotNullOrEmpty]
    public string From { get; set; } = "";

    /// <summary>The mail's receivers.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Mail)]
    [ValidateNotNullOrEmpty]
    public string[] To { get; set; } = [];

    /// <summary>The server's port; without it 587, 465 with Tls, and 25 with None.</summary>
    [Parameter(ParameterSetName = Mail)]
    [ValidateRange(1, 65_535)]
    public int Port { get; set; }

    /// <summary>How the server is spoken to.</summary>
    [Parameter(ParameterSetName = Mail)]
    public OBMailSecurity Security { get; set; } = OBMailSecurity.StartTls;

    /// <summary>Who logs in at the server; without it nobody.</summary>
    [Parameter(ParameterSetName = Mail)]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>The web address. Whoever knows it can use it: it is kept sealed, and never shown.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Webhook)]
    public SecureString WebhookUrl { get; set; } = null!;

    /// <summary>What the web address is sent.</summary>
    [Parameter(ParameterSetName = Webhook)]
    public OBWebhookFormat Format { get; set; } = OBWebhookFormat.Json;

    /// <summary>The check's address. It is kept as a web address is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Healthchecks)]
    public SecureString HealthchecksUrl { get; set; } = null!;

    /// <summary>The check stands for the backups of this machine, which ping it when they start, succeed and fail; else for the watch.</summary>
    [Parameter(ParameterSetName = Healthchecks)]
    public SwitchParameter ForBackups { get; set; }

    /// <summary>The check is sent the messages, too. They name machines.</summary>
    [Parameter(ParameterSetName = Healthchecks)]
    public SwitchParameter SendLog { get; set; }

    /// <summary>The program that is run for each message.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Program)]
    [ValidateNotNullOrEmpty]
    public string Command { get; set; } = "";

    /// <summary>What the program is given. Everybody on the machine can read it.</summary>
    [Parameter(ParameterSetName = Program)]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[] ArgumentList { get; set; } = [];

    /// <summary>The system's log of this machine.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Log)]
    public SwitchParameter SystemLog { get; set; }

    /// <summary>The place is told of each backup that came, too.</summary>
    [Parameter(ParameterSetName = Mail)]
    [Parameter(ParameterSetName = Webhook)]
    [Parameter(ParameterSetName = Healthchecks)]
    [Parameter(ParameterSetName = Program)]
    [Parameter(ParameterSetName = Log)]
    public SwitchParameter ReportSuccess { get; set; }

    /// <summary>A file as 'obengine alarm set' takes it. It says all: what was set before is gone.</summary>
    [Parameter(Mandatory = true, ParameterSetName = All)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>After how many hours what is still wrong is told again, to all places; 0 for never.</summary>
    [Parameter(ParameterSetName = Times)]
    [ValidateRange(0, AlarmSettings.MostHours)]
    public int RepeatHours { get; set; }

    /// <summary>After how many hours all places are told that the watcher lives; 0 for never.</summary>
    [Parameter(ParameterSetName = Times)]
    [ValidateRange(0, AlarmSettings.MostHours)]
    public int HeartbeatHours { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        switch (ParameterSetName)
        {
            case Times:
                SetTimes();
                break;
            case All:
                SetAll();
                break;
            default:
                SetOne();
                break;
        }
    }

    private void SetTimes()
    {
        bool hasRepeat = MyInvocation.BoundParameters.ContainsKey(nameof(RepeatHours));
        bool hasHeartbeat = MyInvocation.BoundParameters.ContainsKey(nameof(HeartbeatHours));
        if (!hasRepeat && !hasHeartbeat)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                "Nothing was said to be set.",
                "Name a place and what it is, as in 'Set-OBAlarmSink pager -Command /usr/local/bin/page', or give -RepeatHours, -HeartbeatHours or -Path.",
                MyInvocation.MyCommand.Name);
        }

        if (ShouldProcess("all places", "Say how often alarms are told"))
        {
            WriteAll(Agent.Alarms.SetTimes(hasRepeat ? RepeatHours : null, hasHeartbeat ? HeartbeatHours : null));
        }
    }

    private void SetAll()
    {
        var settings = AlarmSettings.ReadFile(FullPath(Path));
        if (ShouldProcess(Path, "Say where alarms go"))
        {
            Agent.Alarms.Set(settings);
            WriteAll(settings);
        }
    }

    private void SetOne()
    {
        SinkSettings sink = ToSettings();
        if (ShouldProcess(Name, $"Send alarms there: {sink.Kind}"))
        {
            WriteObject(sink.ToOutput(Agent.Alarms.Put(sink)));
        }
    }

    private SinkSettings ToSettings() => ParameterSetName switch
    {
        Mail => new SinkSettings
        {
            Kind = SinkKind.Mail,
            Name = Name,
            Server = MailServer,
            Port = Port == 0 ? null : Port,
            Security = Enum.Parse<MailSecurity>(Security.ToString()),
            User = Credential?.UserName,
            Password = Credential?.Password.ToPlain(),
            From = From,
            To = To,
            Successes = ReportSuccess,
        },
        Webhook => new SinkSettings { Kind = SinkKind.Webhook, Name = Name, Url = WebhookUrl.ToPlain(), Format = Enum.Parse<WebhookFormat>(Format.ToString()), Successes = ReportSuccess },
        Healthchecks => new SinkSettings { Kind = SinkKind.Healthchecks, Name = Name, Url = HealthchecksUrl.ToPlain(), Runs = ForBackups, Logs = SendLog, Successes = ReportSuccess },
        Program => new SinkSettings { Kind = SinkKind.Command, Name = Name, Path = FullPath(Command), Arguments = ArgumentList, Successes = ReportSuccess },
        _ => new SinkSettings { Kind = SinkKind.SystemLog, Name = Name, Successes = ReportSuccess },
    };

    private void WriteAll(AlarmSettings settings) => WriteObject(settings.Sinks.Select(sink => sink.ToOutput(settings)), enumerateCollection: true);
}
