using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Producers;
using MSOnlineBackup.VirtualMachines.GuestAgent;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>serve thaw</c>.</summary>
internal sealed class ServeThawCommand : HostCommand
{
    private readonly Argument<string> _socket;

    public ServeThawCommand()
        : base(
            "thaw",
            "Hold the file systems of a virtual machine still until standard input ends, 10 seconds at most: what a backup of the machine runs, so that they are let go though it is killed. Not meant to be typed.",
            "obengine serve thaw /run/vm/mail.agent")
    {
        _socket = Required("SOCKET", "The socket of the guest agent, or where libvirt has it.");
    }

    public override bool WritesBytes => true;

    public override string StopNote => "Letting go of the file systems.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        if (context.Environment.OpenInput is not { } openInput)
        {
            throw context.Invalid("Standard input is a terminal, and a program is expected there.", "Back up the virtual machine: the backup runs this.");
        }

        string socket = context.Get(_socket);
        using Stream input = openInput();
        bool isThawed = await FreezeKeeper.RunAsync(
            socket, new StoppableInput(input, CancellationToken.None), context.Environment.OutputBytes, new FreezeLimits(), context.Environment.Time, context.Stop).ConfigureAwait(false);
        return new Outcome(new ServeSummary("serve thaw", socket) { ExitCode = (int)(isThawed ? ExitCode.Success : ExitCode.Failed) }, "");
    }
}
