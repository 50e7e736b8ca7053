BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    # A host at which these lines are typed.
    Add-Type -TypeDefinition @'
        using System;
        using System.Collections.Generic;
        using System.Collections.ObjectModel;
        using System.Globalization;
        using System.Management.Automation;
        using System.Management.Automation.Host;
        using System.Security;

        public sealed class TypingHost : PSHost
        {
            private readonly TypingInterface _interface;

            public TypingHost(string[] lines) { _interface = new TypingInterface(lines); }

            public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;
            public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;
            public override Guid InstanceId { get; } = Guid.NewGuid();
            public override string Name => "Typing";
            public override PSHostUserInterface UI => _interface;
            public override Version Version => new Version(1, 0);
            public override void EnterNestedPrompt() { }
            public override void ExitNestedPrompt() { }
            public override void NotifyBeginApplication() { }
            public override void NotifyEndApplication() { }
            public override void SetShouldExit(int exitCode) { }
        }

        public sealed class TypingInterface : PSHostUserInterface
        {
            private readonly Queue<string> _lines;

            public TypingInterface(string[] lines) { _lines = new Queue<string>(lines); }

            public override PSHostRawUserInterface RawUI => null;
            public override SecureString ReadLineAsSecureString()
            {
                var secret = new SecureString();
                foreach (char character in _lines.Dequeue()) { secret.AppendChar(character); }
                return secret;
            }

            public override string ReadLine() => throw new NotSupportedException();
            public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) => throw new NotSupportedException();
            public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw new NotSupportedException();
            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw new NotSupportedException();
            public override PSCredential PromptForCredential(
                string caption, string message, string userName, string targetName, PSCredentialTypes allowed, PSCredentialUIOptions options) => throw new NotSupportedException();
            public override void Write(string value) { }
            public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { }
            public override void WriteDebugLine(string message) { }
            public override void WriteErrorLine(string value) { }
            public override void WriteLine(string value) { }
            public override void WriteProgress(long sourceId, ProgressRecord record) { }
            public override void WriteVerboseLine(string message) { }
            public override void WriteWarningLine(string message) { }
        }
'@

    function Invoke-Typing([string[]] $Lines) {
        $runspace = [runspacefactory]::CreateRunspace([TypingHost]::new($Lines))
        $runspace.Open()
        try {
            $session = [powershell]::Create($runspace)
            $session.AddScript("Import-Module '$manifest'; try { ConvertFrom-SecureString (Read-OBPassphrase) -AsPlainText } catch { `$_.FullyQualifiedErrorId }").Invoke()
        }
        finally {
            $runspace.Dispose()
        }
    }
}

AfterAll { Remove-TestState }

Describe 'Read-OBPassphrase' {
    It '<Does>' -TestCases @(
        @{ Does = 'returns what was typed twice'; Lines = 'a passphrase for tests', 'a passphrase for tests'; Says = 'a passphrase for tests' }
        @{ Does = 'refuses two that differ'; Lines = 'a passphrase for tests', 'a passphrase for texts'; Says = 'PassphraseInvalid,*' }
        @{ Does = 'refuses one that is too short before it asks again'; Lines = @('short'); Says = 'PassphraseInvalid,*' }
    ) { Invoke-Typing $Lines | Should -BeLike $Says }
}
