# What scripts of this project are held to: the rules of PSScriptAnalyzer that are worth having, over the syntax tree. Each rule takes a parsed
# script, as Read-Script returns it, and returns what it finds: "line: what is wrong".
using namespace System.Management.Automation.Language

# A script's text with its tree and tokens. Parts is what else is read by dot-sourcing: a variable may be used there.
function Read-Script([string] $Text, [Ast[]] $Parts = @()) {
    $tokens = $errors = $null
    $tree = [Parser]::ParseInput($Text, [ref] $tokens, [ref] $errors)
    [pscustomobject] @{ Text = $Text; Tree = $tree; Tokens = $tokens; Errors = $errors; Parts = $Parts }
}

function Find-Node([Ast] $Tree, [type] $Type) {
    $Tree.FindAll({ $args[0] -is $Type }, $true)
}

function Write-Finding([Ast] $Node, [string] $What) {
    '{0}: {1}' -f $Node.Extent.StartLineNumber, $What
}

# What a command is called by: a cmdlet, or a function of a module. Programs and the functions of tests are not known here.
$knownCommands = @{}
function Find-KnownCommand([CommandAst] $Node) {
    $name = $Node.GetCommandName()
    if (-not $name) {
        return
    }

    if (-not $knownCommands.ContainsKey($name)) {
        $knownCommands[$name] = Get-Command -Name $name -CommandType Cmdlet, Function -ErrorAction Ignore | Where-Object Source | Select-Object -First 1
    }

    $knownCommands[$name]
}

# Those of every platform: here a program may have the name of what is an alias elsewhere.
$aliases = @((Get-Alias).Name) + 'cat', 'cp', 'diff', 'kill', 'ls', 'man', 'mount', 'mv', 'ps', 'rm', 'rmdir', 'sleep', 'sort', 'tee', 'write'

$scriptRules = [ordered] @{
    'it can be parsed'                                         = {
        param($script)
        $script.Errors | ForEach-Object { '{0}: {1}' -f $_.Extent.StartLineNumber, $_.Message }
    }
    'commands have their full names'                           = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([CommandAst])) {
            $name = $node.GetCommandName()
            # By '&' a program is meant, or its own options tell.
            $isProgram = $node.InvocationOperator -eq 'Ampersand' -or ($node.CommandElements | Where-Object { "$_" -cmatch '^-[a-z]{1,2}$|^--' })
            if ($name -in $aliases -and -not $isProgram) {
                Write-Finding $node "'$name' is an alias"
            }
        }
    }
    'functions have approved verbs'                            = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([FunctionDefinitionAst])) {
            $verb, $noun = $node.Name -split '-', 2
            if ($noun -and $verb -cnotin (Get-Verb).Verb) {
                Write-Finding $node "'$verb' is not an approved verb"
            }
        }
    }
    'variables that are set are used'                          = {
        param($script)
        $set = @{}
        foreach ($node in Find-Node $script.Tree ([AssignmentStatementAst])) {
            foreach ($target in Find-Target $node.Left) {
                $set[$target] = $true
            }
        }

        $used = @($script.Tree) + $script.Parts | ForEach-Object { Find-Node $_ ([VariableExpressionAst]) } | Where-Object { -not $set.ContainsKey($_) } | ForEach-Object { $_.VariablePath.UserPath }
        foreach ($target in $set.Keys | Sort-Object { $_.Extent.StartOffset }) {
            $name = $target.VariablePath.UserPath
            # Those that PowerShell itself reads, and those that others see.
            if ($name -notin $used -and $name -ne 'null' -and $name -notmatch ':|Preference$') {
                Write-Finding $target "`$$name is set and not used"
            }
        }
    }
    'parameters are used'                                      = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([ParameterAst])) {
            $name = $node.Name.VariablePath.UserPath
            $owner = $node.Parent
            while ($owner -isnot [ScriptBlockAst] -and $owner -isnot [FunctionDefinitionAst]) {
                $owner = $owner.Parent
            }

            $used = Find-Node $owner ([VariableExpressionAst]) | Where-Object { $_ -ne $node.Name -and $_.VariablePath.UserPath -in $name, 'PSBoundParameters' }
            if (-not $used) {
                Write-Finding $node "the parameter `$$name is not used"
            }
        }
    }
    'text is not run as code'                                  = {
        param($script)
        Find-Node $script.Tree ([CommandAst]) | Where-Object { $_.GetCommandName() -in 'Invoke-Expression', 'iex' } | ForEach-Object { Write-Finding $_ 'Invoke-Expression' }
    }
    'no more than two arguments go without a parameter''s name' = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([CommandAst])) {
            $command = Find-KnownCommand $node
            # The parts of a path are a list.
            if ($command -and $command.Name -ne 'Join-Path') {
                $count = 0
                for ($i = 1; $i -lt $node.CommandElements.Count; $i++) {
                    $element = $node.CommandElements[$i]
                    if ($element -isnot [CommandParameterAst]) {
                        $count += [int] -not ($element -is [VariableExpressionAst] -and $element.Splatted)
                    }
                    elseif (-not $element.Argument -and (Find-Parameter $command $element)?.ParameterType -ne [switch]) {
                        $i++
                    }
                }

                if ($count -gt 2) {
                    Write-Finding $node "$command has $count arguments without names"
                }
            }
        }
    }
    'an error is not swallowed'                                = {
        param($script)
        Find-Node $script.Tree ([CatchClauseAst]) | Where-Object { $_.Body.Statements.Count -eq 0 } | ForEach-Object { Write-Finding $_ 'the catch is empty' }
    }
    'secrets are not parameters in plain text'                 = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([ParameterAst])) {
            if ($node.Name.VariablePath.UserPath -match 'pass(word|phrase)|secret|credential$' -and $node.StaticType -in [string], [string[]], [object]) {
                Write-Finding $node "$($node.Name) is a plain text"
            }
        }
    }
    'who declares ShouldProcess asks, and who asks declares it' = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([ScriptBlockAst]) | Where-Object ParamBlock) {
            $declares = "$($node.ParamBlock.Attributes)" -match 'SupportsShouldProcess'
            $asks = [bool] (Find-Node $node ([InvokeMemberExpressionAst]) | Where-Object { "$($_.Member)" -in 'ShouldProcess', 'ShouldContinue' })
            if ($declares -ne $asks) {
                Write-Finding $node ($declares ? 'ShouldProcess is declared and not asked' : 'ShouldProcess is asked and not declared')
            }
        }
    }
    'commands, parameters and keywords are written as they are declared' = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([CommandAst])) {
            $command = Find-KnownCommand $node
            if ($command -and ($node.GetCommandName() -split '\\')[-1] -cne $command.Name) {
                Write-Finding $node "'$($node.GetCommandName())' is $command"
            }

            # Where-Object's are written as the operators that they stand for.
            foreach ($given in $node.CommandElements | Where-Object { $command -and $command.Name -ne 'Where-Object' -and $_ -is [CommandParameterAst] }) {
                $parameter = Find-Parameter $command $given
                if ($parameter -and $given.ParameterName -cne $parameter.Name -and $given.ParameterName -cnotin $parameter.Aliases) {
                    Write-Finding $given "-$($given.ParameterName) is -$($parameter.Name)"
                }
            }
        }

        # 'Describe' and 'It' are commands; 'in', 'if', '-eq' and '-match' are not.
        foreach ($token in $script.Tokens | Where-Object { $_.TokenFlags -band ([TokenFlags]::Keyword -bor [TokenFlags]::BinaryOperator) -and $_.Text -cmatch '^-?[a-z]+$' -eq $false -and $_.Text -match '^-?[a-z]+$' }) {
            '{0}: {1} is written in small letters' -f $token.Extent.StartLineNumber, $token.Text
        }
    }
    '$null stands on the left of a comparison'                 = {
        param($script)
        foreach ($node in Find-Node $script.Tree ([BinaryExpressionAst])) {
            if ($node.Operator -in 'Ieq', 'Ine', 'Ceq', 'Cne' -and "$($node.Right)" -eq '$null') {
                Write-Finding $node "'$node'"
            }
        }
    }
    'lines end where their text ends'                          = {
        param($script)
        $number = 0
        foreach ($line in $script.Text -split '\r?\n') {
            $number++
            if ($line -match '\s$|\t') {
                "${number}: blanks at the end, or a tab"
            }
        }
    }
}

# The variables that the left side of an assignment sets.
function Find-Target([Ast] $Left) {
    switch ($Left) {
        { $_ -is [VariableExpressionAst] } { $Left }
        { $_ -is [ArrayLiteralAst] } { $Left.Elements | ForEach-Object { Find-Target $_ } }
        { $_ -is [ConvertExpressionAst] -or $_ -is [AttributedExpressionAst] } { Find-Target $Left.Child }
    }
}

# Which parameter of a command a name, or the beginning of one, means.
function Find-Parameter($Command, [CommandParameterAst] $Given) {
    $all = $Command.Parameters.Values
    $all | Where-Object { $_.Name -eq $Given.ParameterName -or $Given.ParameterName -in $_.Aliases } | Select-Object -First 1
}
