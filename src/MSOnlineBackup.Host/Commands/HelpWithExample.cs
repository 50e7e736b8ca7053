using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The usual help, and after it an example; the root's help also tells the exit codes and variables.</summary>
internal sealed class HelpWithExample(HelpAction usual) : SynchronousCommandLineAction
{
    private const string RootNotes =
        """
        Exit codes:
          0    success
          1    failed
          2    the command line is not valid
          3    done, but items were skipped or changed meanwhile
          4    done, but a whole source is missing; it is named
          5    a backup was due, and backups are stopped (schedule run)
          10   there is no vault
          11   busy: run it again later
          12   passphrase rejected
          130  stopped (Ctrl+C)

        Environment:
          OBENGINE_VAULT           the vault, if --vault is not given
          OBENGINE_PASSPHRASE      the passphrase, if neither --passphrase-file nor --passphrase-command is given
          OBENGINE_NEW_PASSPHRASE  the new passphrase of 'key add' and 'key change'
          NO_COLOR                 no colours

        Example:
          obengine drill ~/Documents
        """;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        switch (parseResult.CommandResult.Command)
        {
            case IHasExample command:
                output.WriteLine("Example:");
                foreach (string line in command.Example.Split('\n'))
                {
                    output.WriteLine($"  {line}");
                }

                break;
            case RootCommand:
                output.WriteLine(RootNotes);
                break;
        }

        return code;
    }
}
